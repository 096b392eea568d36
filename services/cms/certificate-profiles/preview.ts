import type { CertificateProfileContents } from './certificate-profile.ts';
import { judgeProfile } from './judge-profile.ts';
import { KIND_RULES } from './kind-rules.ts';
import { makeOrder, type PersonNames } from './order.ts';
import type { IssuingAuthority } from './ports.ts';

/** What a certificate would say. Nothing is signed for it and nothing stored. */
export interface CertificatePreview {
  readonly subject: string;
  /** As openssl writes them, such as `email:mary.major@example.com`. */
  readonly subjectAltName: readonly string[];
  readonly securityIdentifier: string | null;
  readonly keyUsage: Readonly<Record<'rsa' | 'ec', readonly string[]>>;
  readonly extendedKeyUsage: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly renewableFrom: Date;
}

const DAY_MS = 86_400_000;
const USUAL_RENEWAL_DAYS = 30;

/**
 * @throws DomainError `certificate-profile-invalid`, and those of an order for this person and this host name
 *   (unprocessable).
 */
export function previewCertificate(
  profile: CertificateProfileContents,
  authorities: readonly IssuingAuthority[],
  person: PersonNames,
  hostName: string,
  now: Date,
): CertificatePreview {
  judgeProfile(profile, authorities);
  const order = makeOrder(profile, {}, person, hostName);
  const { keyUsage, extendedKeyUsage } = KIND_RULES[profile.kind];
  const life = order.validitySeconds * 1000;
  const notAfter = new Date(now.getTime() + life);
  const window =
    profile.renewalDays === null ? Math.min(USUAL_RENEWAL_DAYS * DAY_MS, life / 3) : profile.renewalDays * DAY_MS;
  return {
    subject: [...(order.organization === null ? [] : [`O=${order.organization}`]), `CN=${order.commonName}`].join(', '),
    subjectAltName: [
      ...named('UPN:', order.userPrincipalName),
      ...named('KRB5PrincipalName:', order.kerberosPrincipal),
      ...named('email:', order.email),
      ...(order.dnsNames ?? []).map((name) => `DNS:${name}`),
    ],
    securityIdentifier: order.securityIdentifier,
    keyUsage,
    extendedKeyUsage,
    notBefore: now,
    notAfter,
    renewableFrom: new Date(notAfter.getTime() - Math.min(window, life / 2)),
  };
}

const named = (kind: string, name: string | null): string[] => (name === null ? [] : [kind + name]);
