import { createHash } from 'node:crypto';
import { DomainError, Secret } from '@cardwright/protocol';
import { decodeLines, encodeLines, lineLengths } from '@cardwright/protocol/challenge';
import { combine, split } from 'shamir-secret-sharing';
import type { RecoveryPublicKey } from '../provider.ts';

/**
 * A share of the recovery key, as it is printed: lines with a check character each (protocol/challenge), of
 *
 *   01 | first 4 bytes of SHA-256(recovery public key) | threshold | shares | number of this one, from 1 | share (33)
 *
 * Shamir's scheme itself can't tell a wrong share from a right one; what stands before it, the check characters and the
 * public key can.
 */
const FORMAT = 1;
const SET_BYTES = 4;
const HEADER_BYTES = 1 + SET_BYTES + 3;
const SECRET_BYTES = 32;
export const SHARE_BYTES = HEADER_BYTES + SECRET_BYTES + 1;
export const SHARE_LINES = lineLengths(SHARE_BYTES).length;

export const MAX_SHARES = 20;

/** @param secret 32 bytes; lent. @returns the lines of each share. */
export async function makeShares(secret: Secret, key: RecoveryPublicKey): Promise<readonly (readonly string[])[]> {
  const { threshold, shares } = key;
  // The library copies the bytes before it returns its promise.
  const raw = await secret.use((bytes) => split(bytes, shares, threshold));
  return raw.map((share, at) => {
    const bytes = Uint8Array.of(FORMAT, ...setId(key.point), threshold, shares, at + 1, ...share);
    share.fill(0);
    const lines = encodeLines(bytes);
    bytes.fill(0);
    return lines;
  });
}

/**
 * Reads shares as people typed them: all lines of one after all of another; empty lines and those that begin with # are
 * passed over.
 * @returns the secret, the caller's to wipe. It still has to be compared with the public key.
 * @throws DomainError (unprocessable) `recovery-share-mistyped` (says which share and line), `recovery-share-unknown`,
 *   `recovery-shares-mixed`, `recovery-share-repeated`, `recovery-shares-too-few`.
 */
export async function joinShares(text: string, key: RecoveryPublicKey): Promise<Secret> {
  const lines = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const given = Array.from({ length: Math.ceil(lines.length / SHARE_LINES) }, (_, at) =>
    readShare(lines.slice(at * SHARE_LINES, (at + 1) * SHARE_LINES), at + 1, key),
  );
  const numbers = given.map(({ number }) => number);
  const repeated = numbers.find((number, at) => numbers.indexOf(number) !== at);
  if (repeated !== undefined) throw refusal('share-repeated', `Share ${repeated} was given twice.`);
  if (given.length < key.threshold) {
    throw refusal('shares-too-few', `${given.length} shares were given; ${key.threshold} are needed.`);
  }
  const secret = await combine(given.map(({ share }) => share));
  for (const { share } of given) share.fill(0);
  return Secret.take(secret);
}

function readShare(lines: readonly string[], at: number, key: RecoveryPublicKey) {
  const decoded = decodeLines(lines.join('\n'), SHARE_BYTES);
  if (!decoded.ok) {
    const where = decoded.line === 0 ? `share ${at}` : `share ${at}, line ${decoded.line}`;
    throw refusal('share-mistyped', `${where}: ${decoded.detail}`);
  }
  const { bytes } = decoded;
  if (bytes[0] !== FORMAT) throw refusal('share-unknown', `Share ${at} is of another version of this program.`);
  const sameSet = Buffer.compare(bytes.subarray(1, 1 + SET_BYTES), setId(key.point)) === 0;
  const [threshold = 0, shares = 0, number = 0] = bytes.subarray(1 + SET_BYTES);
  if (!sameSet || threshold !== key.threshold || shares !== key.shares) {
    throw refusal('shares-mixed', `Share ${at} belongs to another recovery key than the recovery file.`);
  }
  const share = Uint8Array.from(bytes.subarray(HEADER_BYTES));
  bytes.fill(0);
  return { number, share };
}

function setId(point: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(point).digest().subarray(0, SET_BYTES));
}

function refusal(code: string, detail: string): DomainError {
  return new DomainError('unprocessable', `recovery-${code}`, detail);
}
