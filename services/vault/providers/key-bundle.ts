import { DomainError, Secret } from '@cardwright/protocol';
import type { RecoveryPublicKey } from '../provider.ts';

/**
 * What a keys file holds, in clear. A binary form, because text would leave strings behind that nobody can wipe.
 *
 *   u8 count | count x ( u8 kind | u32 version | u16 length | bytes )
 */
export interface KeyBundle {
  /** AES-256 keys, by version. */
  readonly keks: ReadonlyMap<number, Secret>;
  /** HMAC-SHA-256 keys, by version. */
  readonly masters: ReadonlyMap<number, Secret>;
  /** PKCS#8 DER, P-256. */
  readonly importKey: Secret;
  /** Public; here because who could exchange it would get every later key. */
  readonly recoveryKey: RecoveryPublicKey | null;
}

const KIND = { kek: 1, master: 2, importKey: 3, recoveryKey: 4 } as const;
const POINT_BYTES = 65;
const ENTRY_HEADER_BYTES = 7;
export const KEK_BYTES = 32;
export const MASTER_BYTES = 32;

export function encodeKeyBundle(bundle: KeyBundle): Secret {
  const entries: [kind: number, version: number, secret: Secret][] = [
    ...[...bundle.keks].map(([version, secret]): [number, number, Secret] => [KIND.kek, version, secret]),
    ...[...bundle.masters].map(([version, secret]): [number, number, Secret] => [KIND.master, version, secret]),
    [KIND.importKey, 1, bundle.importKey],
  ];
  const { recoveryKey } = bundle;
  if (recoveryKey !== null) entries.push([KIND.recoveryKey, 1, encodeRecoveryKey(recoveryKey)]);
  if (entries.length > 255) throw new RangeError('a keys file holds at most 255 keys');
  const size = entries.reduce((sum, [, , secret]) => sum + ENTRY_HEADER_BYTES + secret.length, 1);
  const bytes = Buffer.alloc(size);
  bytes[0] = entries.length;
  let at = 1;
  for (const [kind, version, secret] of entries) {
    bytes.writeUInt8(kind, at);
    bytes.writeUInt32BE(version, at + 1);
    bytes.writeUInt16BE(secret.length, at + 5);
    secret.use((key) => bytes.set(key, at + ENTRY_HEADER_BYTES));
    at += ENTRY_HEADER_BYTES + secret.length;
  }
  return Secret.take(bytes);
}

/** @throws DomainError `vault-keys-file-invalid` (internal). */
export function decodeKeyBundle(encoded: Secret): KeyBundle {
  return encoded.use((given) => {
    const bytes = Buffer.from(given.buffer, given.byteOffset, given.byteLength);
    const keks = new Map<number, Secret>();
    const masters = new Map<number, Secret>();
    let importKey: Secret | undefined;
    let recoveryKey: RecoveryPublicKey | null = null;
    let at = 1;
    for (let left = bytes[0] ?? 0; left > 0; left--) {
      if (bytes.length < at + ENTRY_HEADER_BYTES) throw invalid();
      const version = bytes.readUInt32BE(at + 1);
      const end = at + ENTRY_HEADER_BYTES + bytes.readUInt16BE(at + 5);
      if (bytes.length < end) throw invalid();
      const secret = Secret.take(Uint8Array.from(bytes.subarray(at + ENTRY_HEADER_BYTES, end)));
      const kind = bytes[at];
      if (kind === KIND.kek && secret.length === KEK_BYTES) keks.set(version, secret);
      else if (kind === KIND.master && secret.length === MASTER_BYTES) masters.set(version, secret);
      else if (kind === KIND.importKey) importKey = secret;
      else if (kind === KIND.recoveryKey) recoveryKey = secret.use(decodeRecoveryKey);
      else throw invalid();
      at = end;
    }
    // No KEK is right when a move to another provider has come that far.
    if (at !== bytes.length || masters.size === 0 || importKey === undefined) throw invalid();
    return { keks, masters, importKey, recoveryKey };
  });
}

export function wipeKeyBundle(bundle: KeyBundle): void {
  for (const secret of [...bundle.keks.values(), ...bundle.masters.values(), bundle.importKey]) secret.wipe();
}

/** u8 threshold | u8 shares | point (65) */
export function encodeRecoveryKey({ threshold, shares, point }: RecoveryPublicKey): Secret {
  return Secret.take(Uint8Array.of(threshold, shares, ...point));
}

/** @throws DomainError `vault-keys-file-invalid` (internal). */
export function decodeRecoveryKey(bytes: Uint8Array): RecoveryPublicKey {
  const [threshold = 0, shares = 0] = bytes;
  if (bytes.length !== 2 + POINT_BYTES || threshold < 2 || shares < threshold) throw invalid();
  return { threshold, shares, point: Uint8Array.from(bytes.subarray(2)) };
}

function invalid(): DomainError {
  return new DomainError(
    'internal',
    'vault-keys-file-invalid',
    'The keys file opens, and does not hold what it should.',
  );
}
