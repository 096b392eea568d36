export {
  assertRevocable,
  type Certificate,
  type CertificateStatus,
  certificateNotFound,
  shownStatus,
} from './certificate.ts';
export { createIssuance, csrHash, type Issuance } from './issue-certificate.ts';
export type { CertificateAuthority, CertificateReader, CertificateRecords, IssuedChain } from './ports.ts';
