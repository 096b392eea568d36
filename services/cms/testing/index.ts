/** For tests over more than one part, and for the bench: no part of what runs. */
export { createAuditTrail } from '../audit/trail.pg.ts';
export type { CertificateAuthority, IssuanceRequest } from '../certificates/index.ts';
export { createCertificateReader } from '../certificates/reader.x509.ts';
export { createAttemptRecords } from '../connectors/attempts.prisma.ts';
export {
  type CaConnector,
  createAuthorities,
  createConnectorWork,
  createRecordedAuthority,
  revokeByHand,
} from '../connectors/index.ts';
export { openConnectors } from '../connectors/open-connectors.file.ts';
export { createAuthorityStates } from '../connectors/states.pg.ts';
export { createOpensslCa, type OpensslCa, orderOf, TLS_CLIENT } from '../connectors/testing/openssl-ca.ts';
export { connectorParsers, indefinite } from '../connectors/testing/parsers.ts';
export { insist, within } from '../connectors/within.timers.ts';
export { createDatabase } from '../platform/database.prisma.ts';
export { createRuntime } from '../platform/runtime.node.ts';
export { createUnitOfWork } from '../platform/unit-of-work.prisma.ts';
