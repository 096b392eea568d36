import type { ParsedCertificate } from './certificate.ts';
import {
  allowsUse,
  basicConstraints,
  hasSoundSignature,
  hasUnknownCritical,
  KEY_USAGE,
  mayBeIssuedBy,
} from './certificate-rules.ts';
import { refused, same } from './refusal.ts';
import { isRevoked, type RevocationList } from './revocation-list.ts';

export interface Trust {
  /** Whom the organisation trusts to say what is a TPM: makers' roots, or CAs below them. */
  readonly roots: readonly ParsedCertificate[];
  readonly revocationLists: readonly RevocationList[];
  /** Whether a certificate whose time is over still counts: a TPM outlives its certificate. */
  readonly expired: 'refuse' | 'accept';
}

/** Certificates above the first one. */
const MAX_DEPTH = 6;
/** A hostile device may send many certificates of one name: signatures are costly. */
const MAX_VERIFICATIONS = 24;

/**
 * Finds a path from `leaf` over `between` to one of the roots, and gives it, the root last (RFC 5280, section 6, without
 * policies; a critical extension that we don't know refuses the certificate). A root is trusted for being configured; its
 * signature is not looked at. Throws `ek-certificate-untrusted`, `ek-certificate-expired`, `ek-certificate-not-yet-valid`,
 * `ek-certificate-revoked`.
 */
export function verifyChain(
  leaf: ParsedCertificate,
  between: readonly ParsedCertificate[],
  trust: Trust,
  now: Date,
): ParsedCertificate[] {
  const search = { left: MAX_VERIFICATIONS };
  const path = pathFrom([leaf], between, trust, search);
  if (path === undefined) {
    const detail = 'No path of certificates leads from it to a configured root of a TPM maker.';
    throw refused('ek-certificate-untrusted', detail);
  }
  for (const certificate of path) demandInTime(certificate, trust, now);
  for (const [index, certificate] of path.entries()) {
    const issuer = path[index + 1];
    if (issuer !== undefined && isRevoked(certificate, issuer, trust.revocationLists)) {
      const detail = 'The TPM maker revoked the endorsement key certificate, or a CA above it.';
      throw refused('ek-certificate-revoked', detail);
    }
  }
  return path;
}

function pathFrom(
  path: readonly ParsedCertificate[],
  between: readonly ParsedCertificate[],
  trust: Trust,
  search: { left: number },
): ParsedCertificate[] | undefined {
  const last = path.at(-1);
  if (last === undefined || path.length > MAX_DEPTH) return undefined;
  const above = path.length - 1;
  for (const root of trust.roots) {
    if (same(root.bytes, last.bytes) && above > 0) return [...path];
    if (issues(root, last, above, search)) return [...path, root];
  }
  for (const candidate of between) {
    if (path.includes(candidate) || !issues(candidate, last, above, search)) continue;
    const found = pathFrom([...path, candidate], between, trust, search);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** `below`: how many CA certificates stand below `issuer` already. */
function issues(
  issuer: ParsedCertificate,
  subject: ParsedCertificate,
  below: number,
  search: { left: number },
): boolean {
  if (!mayBeIssuedBy(subject, issuer)) return false;
  const { ca, pathLength } = basicConstraints(issuer);
  if (!ca || pathLength < below || !allowsUse(issuer, KEY_USAGE.keyCertSign)) return false;
  if (!hasSoundSignature(subject) || hasUnknownCritical(issuer) || search.left-- <= 0) return false;
  try {
    return subject.x509.verify(issuer.x509.publicKey);
  } catch {
    return false; // a key of a kind that OpenSSL can't verify with
  }
}

function demandInTime(certificate: ParsedCertificate, trust: Trust, now: Date): void {
  if (certificate.notBefore > now) {
    const detail = `A certificate of its chain counts from ${certificate.notBefore.toISOString()} on.`;
    throw refused('ek-certificate-not-yet-valid', detail);
  }
  if (certificate.notAfter < now && trust.expired === 'refuse') {
    const detail = `A certificate of its chain expired at ${certificate.notAfter.toISOString()}.`;
    throw refused('ek-certificate-expired', detail);
  }
}
