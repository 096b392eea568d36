import type { CaClient, CertificateKind, IssueAnswer, RevocationReason } from '@cardwright/ca';
import { CERTIFICATE_KINDS, derivedPrincipal } from '../certificate-profiles/index.ts';
import type { CertificateAuthority, IssuedChain } from './ports.ts';

/** The embedded CA's serial numbers are of fixed width on its link; ours are without leading zero bytes. */
const SERIAL_DIGITS = 32;

/** The embedded CA as a connector. Its link carries bytes as base64url. */
export function createEmbeddedAuthority(ca: CaClient): CertificateAuthority {
  return {
    async issue({ requestId, csr, profile, subject, subjectAltName, securityIdentifier, validitySeconds }) {
      const { userPrincipalName, kerberosPrincipal, email, dnsNames } = subjectAltName;
      return toChain(
        await ca.issue({
          requestId,
          csr: Buffer.from(csr).toString('base64url'),
          profile: kindOf(profile),
          subject,
          subjectAltName: {
            ...(userPrincipalName === null ? {} : { userPrincipalName }),
            ...principal(userPrincipalName, kerberosPrincipal),
            ...(email === null ? {} : { email }),
            ...(dnsNames === null ? {} : { dnsNames }),
          },
          ...(securityIdentifier === null ? {} : { securityIdentifier }),
          validitySeconds,
        }),
      );
    },

    async health() {
      await ca.health();
    },

    async find(requestId) {
      const answer = await ca.find({ requestId });
      return answer === null ? null : toChain(answer);
    },

    async revoke(serialNumber, reason, revokedAt, invalidityDate) {
      const revoked = await ca.revoke({
        serialNumber: serialNumber.padStart(SERIAL_DIGITS, '0'),
        reason: reason as RevocationReason,
        revokedAt: revokedAt.toISOString(),
        invalidityDate: invalidityDate?.toISOString(),
      });
      return { revokedAt: new Date(revoked.revokedAt) };
    },

    async release(serialNumber, releasedAt) {
      const released = await ca.release({
        serialNumber: serialNumber.padStart(SERIAL_DIGITS, '0'),
        releasedAt: releasedAt.toISOString(),
      });
      return { releasedAt: new Date(released.releasedAt) };
    },
  };
}

function kindOf(profile: string): CertificateKind {
  const kind = CERTIFICATE_KINDS.find((one) => one === profile);
  if (kind === undefined) throw new Error(`the embedded CA issues no certificates of ${profile}`);
  return kind;
}

/**
 * The principal that follows from the user principal name is left to the CA to write, as it was before a person could have
 * another: the CA knows a request by what was asked, and must know the older ones again.
 */
function principal(userPrincipalName: string | null, kerberosPrincipal: string | null) {
  const follows = userPrincipalName === null ? null : derivedPrincipal(userPrincipalName);
  if (kerberosPrincipal === follows && follows !== null) return {};
  return { kerberosPrincipal };
}

const toBytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64url'));

function toChain(answer: IssueAnswer): IssuedChain {
  return { certificate: toBytes(answer.certificate), chain: answer.chain.map(toBytes), ignored: answer.ignored };
}
