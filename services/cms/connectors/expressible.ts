import { DomainError } from '@cardwright/protocol';
import type { AuthorityDescription, IssuanceRequest, NameKind } from '../certificates/index.ts';

/**
 * Whether the CA can make this certificate as it is ordered. One that it would make without a name is another certificate.
 * @throws DomainError (unprocessable) `ca-profile-not-offered`, `ca-name-not-offered`.
 */
export function demandKindAndNames(ca: AuthorityDescription, request: IssuanceRequest): void {
  if (!ca.profiles.includes(request.profile)) {
    const detail = `The CA ${ca.name} issues ${ca.profiles.join(', ')}, and no ${request.profile} certificates.`;
    throw new DomainError('unprocessable', 'ca-profile-not-offered', detail);
  }
  const missing = namesIn(request).filter((name) => !ca.names.includes(name));
  if (missing.length === 0) return;
  const detail = `The CA ${ca.name} can not put ${missing.join(', ')} into a certificate. Take the name out of the certificate profile, or choose another CA.`;
  throw new DomainError('unprocessable', 'ca-name-not-offered', detail);
}

function namesIn({ subjectAltName: names, securityIdentifier }: IssuanceRequest): NameKind[] {
  const asked: [NameKind, unknown][] = [
    ['userPrincipalName', names.userPrincipalName],
    ['kerberosPrincipal', names.kerberosPrincipal],
    ['email', names.email],
    ['dnsNames', names.dnsNames],
    ['securityIdentifier', securityIdentifier],
  ];
  return asked.flatMap(([name, value]) => (value === null ? [] : [name]));
}
