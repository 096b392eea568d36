import { DomainError } from '@cardwright/protocol';
import {
  type Authorities,
  type AuthorityDescription,
  type CertificateAuthority,
  EMBEDDED_AUTHORITY,
} from '../certificates/index.ts';

export interface NamedAuthority extends AuthorityDescription {
  readonly authority: CertificateAuthority;
}

/** What the embedded CA can do. Its certificate kinds are those of the ca's own templates. */
export const EMBEDDED: AuthorityDescription = {
  name: EMBEDDED_AUTHORITY,
  kind: 'embedded',
  revocation: 'immediate',
  hold: true,
  list: false,
  crl: false,
  profiles: [
    'smart-card-sign-in',
    'tls-client',
    'smime-signature',
    'smime-encryption',
    'document-signature',
    'volume-encryption',
    'device',
  ],
  names: ['userPrincipalName', 'kerberosPrincipal', 'email', 'dnsNames', 'securityIdentifier'],
};

export function createAuthorities(all: readonly NamedAuthority[]): Authorities {
  const byName = new Map(all.map((one) => [one.name, one]));
  const descriptions = all.map(({ authority: _authority, ...description }) => description);
  return {
    of(name) {
      const found = byName.get(name);
      if (found !== undefined) return found.authority;
      const detail = `The certificate authority ${name} is not configured any more; its certificates wait until it is.`;
      throw new DomainError('unavailable', 'authority-unknown', detail);
    },
    describe: () => descriptions,
  };
}
