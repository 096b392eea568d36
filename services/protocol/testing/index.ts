/** For tests and for the bench: no part of what runs. */
export { ATTESTATION_PARSERS } from '../attestation/testing/parsers.ts';
export * from './fuzz.ts';
export { PROTOCOL_PARSERS } from './parsers.ts';
