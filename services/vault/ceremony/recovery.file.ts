import { createECDH, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { DomainError, Secret } from '@cardwright/protocol';
import { CompactEncrypt, compactDecrypt, decodeProtectedHeader } from 'jose';
import type { RecoveryPublicKey } from '../provider.ts';
import { readBounded, replaceFile, writeOnce } from '../providers/private.file.ts';
import type { RecoveryStore } from '../rotation/ports.ts';

const FORMAT = 'cardwright-vault-recovery-1';
const MAX_BYTES = 256 * 1024;
const ALG = 'ECDH-ES+A256KW';
const ENC = 'A256GCM';

export const RECOVERY_KINDS = ['kek', 'master', 'import-key'] as const;
export type RecoveryKind = (typeof RECOVERY_KINDS)[number];

interface Entry {
  readonly kind: RecoveryKind;
  readonly version: number;
  /** JWE compact to the recovery key; kind and version are in its protected header too. */
  readonly sealed: string;
}

/** On disk: JSON. It opens only with enough shares, so it may be copied to where backups go. */
interface RecoveryDocument {
  readonly format: typeof FORMAT;
  readonly threshold: number;
  readonly shares: number;
  /** base64, 65 bytes. */
  readonly recoveryKey: string;
  readonly entries: readonly Entry[];
}

/** A key as it came out of the file; the caller wipes it. */
export interface RecoveredKey {
  readonly kind: RecoveryKind;
  readonly version: number;
  readonly key: Secret;
}

export interface RecoveryFile extends RecoveryStore {
  readonly recoveryKey: RecoveryPublicKey;
  /** @param privateKey lent. @throws DomainError `recovery-file-invalid` (unprocessable). */
  open(privateKey: KeyObject): Promise<readonly RecoveredKey[]>;
}

/**
 * Makes the file with first keys. @param keys lent.
 * @throws DomainError `recovery-file-exists` (conflict).
 */
export async function createRecoveryFile(
  path: string,
  to: RecoveryPublicKey,
  keys: readonly RecoveredKey[],
): Promise<void> {
  const entries: Entry[] = [];
  for (const { kind, version, key } of keys) entries.push(await sealEntry(kind, version, key, to));
  const { threshold, shares } = to;
  const recoveryKey = Buffer.from(to.point).toString('base64');
  await writeOnce(path, textOf({ format: FORMAT, threshold, shares, recoveryKey, entries }), 'recovery-file');
}

/** @throws DomainError `recovery-file-missing`, `recovery-file-invalid`, `recovery-file-mode` (unprocessable). */
export async function openRecoveryFile(path: string): Promise<RecoveryFile> {
  let document = parse(await readBounded(path, MAX_BYTES, 'recovery-file', 0o022, 'be writable by others'), path);
  const point = Uint8Array.from(Buffer.from(document.recoveryKey, 'base64'));
  const recoveryKey = { point, threshold: document.threshold, shares: document.shares };

  async function change(entries: readonly Entry[]): Promise<void> {
    const next = { ...document, entries };
    await replaceFile(path, textOf(next));
    document = next;
  }
  const without = (kind: RecoveryKind, version: number) =>
    document.entries.filter((each) => each.kind !== kind || each.version !== version);

  return {
    recoveryKey,
    async add(kind, version, key, to) {
      // The provider keeps the key that was made at the ceremony; whoever exchanged the one in this file gets nothing.
      if (Buffer.compare(to.point, point) !== 0) {
        throw invalid(path, 'it belongs to another recovery key than the one of this vault');
      }
      await change([...without(kind, version), await sealEntry(kind, version, key, to)]);
    },
    async removeKek(version) {
      const kept = without('kek', version);
      if (kept.length !== document.entries.length) await change(kept);
    },
    async open(privateKey) {
      const opened: RecoveredKey[] = [];
      try {
        for (const entry of document.entries) opened.push(await openEntry(entry, privateKey, path));
        return opened;
      } catch (error) {
        for (const { key } of opened) key.wipe();
        throw error;
      }
    },
  };
}

/** @param scalar 32 bytes; lent. @returns undefined when it is not the private key of that point. */
export function recoveryPrivateKey(scalar: Uint8Array, point: Uint8Array): KeyObject | undefined {
  const ecdh = createECDH('prime256v1');
  try {
    ecdh.setPrivateKey(scalar);
  } catch {
    return undefined;
  }
  if (Buffer.compare(ecdh.getPublicKey(), point) !== 0) return undefined;
  const d = Buffer.from(scalar).toString('base64url');
  return createPrivateKey({ key: { ...jwkOf(point), d }, format: 'jwk' });
}

function jwkOf(point: Uint8Array) {
  const text = (from: number) => Buffer.from(point.subarray(from, from + 32)).toString('base64url');
  return { kty: 'EC', crv: 'P-256', x: text(1), y: text(33) } as const;
}

async function sealEntry(kind: RecoveryKind, version: number, key: Secret, to: RecoveryPublicKey): Promise<Entry> {
  const publicKey = createPublicKey({ key: jwkOf(to.point), format: 'jwk' });
  const sealing = key.use((bytes) =>
    new CompactEncrypt(bytes).setProtectedHeader({ alg: ALG, enc: ENC, kind, version }).encrypt(publicKey),
  );
  return { kind, version, sealed: await sealing };
}

async function openEntry({ kind, version, sealed }: Entry, privateKey: KeyObject, path: string): Promise<RecoveredKey> {
  try {
    const { plaintext, protectedHeader } = await compactDecrypt(sealed, privateKey, {
      keyManagementAlgorithms: [ALG],
      contentEncryptionAlgorithms: [ENC],
      maxDecompressedLength: 0,
    });
    const key = Secret.take(plaintext);
    if (protectedHeader.kind === kind && protectedHeader.version === version) return { kind, version, key };
    key.wipe();
  } catch (cause) {
    throw invalid(path, `its ${kind} ${version} does not open`, cause);
  }
  throw invalid(path, `its ${kind} ${version} was put in another's place`);
}

function textOf(document: RecoveryDocument): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}

function parse(bytes: Buffer, path: string): RecoveryDocument {
  let given: Partial<RecoveryDocument> | null;
  try {
    given = JSON.parse(bytes.toString('utf8')) as Partial<RecoveryDocument> | null;
  } catch (cause) {
    throw invalid(path, 'it is no recovery file of this version', cause);
  }
  const { format, threshold, shares, recoveryKey, entries } = given ?? {};
  const pointOk = typeof recoveryKey === 'string' && Buffer.from(recoveryKey, 'base64').length === 65;
  const sharesOk = isCount(threshold) && isCount(shares) && threshold >= 2 && threshold <= shares;
  if (format !== FORMAT || !pointOk || !sharesOk || !Array.isArray(entries) || !entries.every(isEntry)) {
    throw invalid(path, 'it is no recovery file of this version');
  }
  return { format, threshold, shares, recoveryKey, entries };
}

const isCount = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) > 0 && Number(value) < 256;

function isEntry(value: unknown): value is Entry {
  if (typeof value !== 'object' || value === null) return false;
  const { kind, version, sealed } = value as Record<string, unknown>;
  if (!RECOVERY_KINDS.some((each) => each === kind) || typeof sealed !== 'string') return false;
  try {
    decodeProtectedHeader(sealed);
    return Number.isInteger(version);
  } catch {
    return false;
  }
}

function invalid(path: string, why: string, cause?: unknown): DomainError {
  return new DomainError('unprocessable', 'recovery-file-invalid', `${path}: ${why}`, { cause });
}
