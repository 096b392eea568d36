import type { CaClient, IssueAnswer, RevocationReason } from '@cardwright/ca';
import type { CertificateAuthority, IssuedChain } from './ports.ts';

/** The embedded CA's serial numbers are of fixed width on its link; ours are without leading zero bytes. */
const SERIAL_DIGITS = 32;

/** The embedded CA as a connector. Its link carries bytes as base64url. */
export function createEmbeddedAuthority(ca: CaClient): CertificateAuthority {
  return {
    async issue({ requestId, csr, profile, subject, subjectAltName, validitySeconds }) {
      if (profile !== 'smart-card-sign-in') throw new Error(`the embedded CA has no certificate profile ${profile}`);
      const { userPrincipalName, email } = subjectAltName;
      return toChain(
        await ca.issue({
          requestId,
          csr: Buffer.from(csr).toString('base64url'),
          profile,
          subject: { commonName: subject.commonName },
          subjectAltName: { userPrincipalName: userPrincipalName ?? undefined, email: email ?? undefined },
          validitySeconds,
        }),
      );
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

const toBytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64url'));

function toChain(answer: IssueAnswer): IssuedChain {
  return { certificate: toBytes(answer.certificate), chain: answer.chain.map(toBytes), ignored: [] };
}
