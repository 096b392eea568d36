export type {
  AuthoritiesAnswer,
  AuthorityAnswer,
  CertificateKind,
  FindParams,
  HealthAnswer,
  IssueAnswer,
  IssueParams,
  ReleaseAnswer,
  ReleaseParams,
  RevocationReason,
  RevokeAnswer,
  RevokeParams,
} from './api.ts';
export { type CaClient, connectCa } from './ca-client.socket.ts';
