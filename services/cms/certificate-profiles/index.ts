export {
  CERTIFICATE_KINDS,
  type CertificateKind,
  type CertificateProfile,
  type ContainerRule,
  type EffectiveRule,
  effectiveRule,
} from './certificate-profile.ts';
export {
  type CertificateOrder,
  commonNameOf,
  derivedPrincipal,
  makeOrder,
  type PersonNames,
  principalOf,
} from './order.ts';
export type { CertificateProfiles } from './ports.ts';
