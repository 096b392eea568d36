export {
  ASSURANCE_LEVELS,
  type Assurance,
  assuranceOfRenewal,
  isAtLeast,
  weakestOf,
} from './assurance.ts';
export {
  assertRevocable,
  type Certificate,
  type CertificateStatus,
  certificateNotFound,
  type Issued,
  shownStatus,
} from './certificate.ts';
export { CertificateList, certificatePage } from './certificates.schema.http.ts';
export { type CertificateOnRecord, type InForce, judgeForce, type NotInForce } from './in-force.ts';
export { createIssuance, csrHash, type Issuance } from './issue-certificate.ts';
export {
  type Authorities,
  type AuthorityDescription,
  type CertificateAuthority,
  type CertificateReader,
  type CertificateRecords,
  type CertificateViews,
  EMBEDDED_AUTHORITY,
  type IssuanceRequest,
  type IssuedChain,
  type ListedCertificate,
  type NameKind,
} from './ports.ts';
