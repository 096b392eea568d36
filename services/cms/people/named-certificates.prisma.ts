import { commonNameOf, principalOf } from '../certificate-profiles/index.ts';
import { clientOf } from '../platform/unit-of-work.prisma.ts';
import type { NamedCertificates } from './ports.ts';

export function createNamedCertificates(): NamedCertificates {
  return {
    async withOtherNames(tx, personId, names, now, limit) {
      const { displayName, userPrincipalName, email, organization, securityIdentifier } = names;
      // A name that was left out of a certificate can't be another. Of one from before orders were kept nobody knows: it is told.
      const rows = await clientOf(tx).$queryRaw<{ id: string }[]>`
        SELECT id FROM certificates
        WHERE person_id = ${personId}::uuid AND status IN ('active', 'on-hold') AND not_after > ${now} AND (
          ordered IS NULL OR ordered->>'kind' <> 'device' AND (
            ordered->>'commonName' <> ${commonNameOf(displayName)}
            OR ordered->>'userPrincipalName' <> ${userPrincipalName}
            OR ordered->>'kerberosPrincipal' <> COALESCE(${principalOf(names)}, '')
            OR ordered->>'email' <> COALESCE(${email}, '')
            OR ordered->>'organization' <> COALESCE(${organization === null ? null : commonNameOf(organization)}, '')
            OR ordered->>'securityIdentifier' <> COALESCE(${securityIdentifier}, '')))
        ORDER BY id LIMIT ${limit}`;
      return rows.map(({ id }) => id);
    },
  };
}
