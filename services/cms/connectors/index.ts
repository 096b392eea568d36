export { createAuthorities, EMBEDDED, type NamedAuthority } from './authorities.ts';
