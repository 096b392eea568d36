export { normalisePrincipalName, type Person } from './person.ts';
export type { PersonViews } from './ports.ts';
