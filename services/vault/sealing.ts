import { createCipheriv, createDecipheriv } from 'node:crypto';
import { DomainError, isDomainError, Secret } from '@cardwright/protocol';
import type { KeyFacts, SealedKey } from './key-record.ts';
import type { KeyProvider } from './provider.ts';

/**
 * Envelope: a fresh data key seals the administrator key (AES-256-GCM), the provider's KEK wraps the data key. So a new
 * KEK re-wraps 32 bytes a key, and a token never has to see the administrator key.
 *
 *   01 | u16 length of wrapped data key | wrapped data key | nonce (12) | ciphertext | tag (16)
 *
 * Both layers carry the facts of the row as associated data: a blob that was moved to another card or version, or whose
 * row was given another PIN limit or Name, does not open.
 */
const FORMAT = 1;
const HEADER_BYTES = 3;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const DATA_KEY_BYTES = 32;

export type Random = (bytes: number) => Uint8Array;

/**
 * What a seal binds. Of an administrator key the facts of its row; of another secret (secret-store.ts) facts whose
 * strategy is a word that no administrator key has, so that neither ever opens as the other.
 */
export type SealedFacts = Omit<KeyFacts, 'algorithm' | 'strategy'> & {
  readonly algorithm: string;
  readonly strategy: string;
};

/** @param key lent; for a deterministic key undefined: then the blob holds nothing, and still proves the facts. */
export async function seal(
  provider: KeyProvider,
  random: Random,
  facts: SealedFacts,
  key: Secret | undefined,
): Promise<SealedKey> {
  const { kekVersion } = provider;
  const dataKey = Secret.take(random(DATA_KEY_BYTES));
  try {
    const { wrapped } = await provider.wrap(dataKey, wrapData(facts, kekVersion));
    const nonce = random(NONCE_BYTES);
    const sealed = dataKey.use((bytes) => {
      const cipher = createCipheriv('aes-256-gcm', bytes, nonce).setAAD(factData(facts));
      const text = key === undefined ? cipher.update('') : key.use((secret) => cipher.update(secret));
      const header = Buffer.alloc(HEADER_BYTES);
      header.writeUInt8(FORMAT, 0);
      header.writeUInt16BE(wrapped.length, 1);
      return Buffer.concat([header, wrapped, nonce, text, cipher.final(), cipher.getAuthTag()]);
    });
    return { kekVersion, sealed: new Uint8Array(sealed) };
  } finally {
    dataKey.wipe();
  }
}

/**
 * @returns the key, the caller's to wipe; of a deterministic key a Secret without bytes.
 * @throws DomainError `vault-blob-invalid` (internal): altered, or not of this row.
 */
export async function unseal(provider: KeyProvider, facts: SealedFacts, blob: SealedKey): Promise<Secret> {
  const sealed = Buffer.from(blob.sealed.buffer, blob.sealed.byteOffset, blob.sealed.byteLength);
  if (sealed.length < HEADER_BYTES || sealed[0] !== FORMAT) throw invalidBlob(facts);
  const wrappedEnd = HEADER_BYTES + sealed.readUInt16BE(1);
  if (sealed.length < wrappedEnd + NONCE_BYTES + TAG_BYTES) throw invalidBlob(facts);
  const wrapped = sealed.subarray(HEADER_BYTES, wrappedEnd);
  const nonce = sealed.subarray(wrappedEnd, wrappedEnd + NONCE_BYTES);
  const text = sealed.subarray(wrappedEnd + NONCE_BYTES, -TAG_BYTES);
  let dataKey: Secret | undefined;
  try {
    dataKey = await provider.unwrap({ kekVersion: blob.kekVersion, wrapped }, wrapData(facts, blob.kekVersion));
    return dataKey.use((bytes) => {
      const decipher = createDecipheriv('aes-256-gcm', bytes, nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(factData(facts)).setAuthTag(sealed.subarray(-TAG_BYTES));
      const key = new Uint8Array(text.length);
      const opened = decipher.update(text);
      key.set(opened);
      opened.fill(0);
      try {
        decipher.final();
      } catch (error) {
        key.fill(0);
        throw error;
      }
      return Secret.take(key);
    });
  } catch (cause) {
    throw isUnavailable(cause) ? cause : invalidBlob(facts, cause);
  } finally {
    dataKey?.wipe();
  }
}

/**
 * The same secret under the provider's present KEK: only the data key is wrapped anew, the secret stays sealed.
 * @throws as {@link unseal}.
 */
export async function rewrap(provider: KeyProvider, facts: SealedFacts, blob: SealedKey): Promise<SealedKey> {
  const sealed = Buffer.from(blob.sealed.buffer, blob.sealed.byteOffset, blob.sealed.byteLength);
  if (sealed.length < HEADER_BYTES || sealed[0] !== FORMAT) throw invalidBlob(facts);
  const wrappedEnd = HEADER_BYTES + sealed.readUInt16BE(1);
  if (sealed.length < wrappedEnd + NONCE_BYTES + TAG_BYTES) throw invalidBlob(facts);
  let dataKey: Secret | undefined;
  try {
    const { kekVersion } = blob;
    const old = { kekVersion, wrapped: sealed.subarray(HEADER_BYTES, wrappedEnd) };
    dataKey = await provider.unwrap(old, wrapData(facts, kekVersion));
    const renewed = await provider.wrap(dataKey, wrapData(facts, provider.kekVersion));
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt8(FORMAT, 0);
    header.writeUInt16BE(renewed.wrapped.length, 1);
    const bytes = Buffer.concat([header, renewed.wrapped, sealed.subarray(wrappedEnd)]);
    return { kekVersion: renewed.kekVersion, sealed: new Uint8Array(bytes) };
  } catch (cause) {
    throw isUnavailable(cause) ? cause : invalidBlob(facts, cause);
  } finally {
    dataKey?.wipe();
  }
}

/**
 * Every part has a fixed alphabet without '|', and rows without parent and predecessor have fewer parts (those from before
 * there were any open as ever), so two different rows never give the same text.
 */
function factText(facts: SealedFacts): string {
  return [
    'cardwright administrator key 1',
    facts.cardId,
    facts.keyVersion,
    facts.algorithm,
    facts.strategy,
    facts.masterVersion ?? '',
    facts.kcv ?? '',
    hex(facts.tpmName),
    facts.pinLimit ?? '',
    ...lineageText(facts),
  ].join('|');
}

function lineageText({ parentName, lineage }: SealedFacts): readonly (string | number)[] {
  if (parentName === null && lineage === null) return [];
  const succession = lineage?.succession ?? null;
  return [
    hex(parentName),
    lineage?.predecessor ?? '',
    succession?.generation ?? '',
    hex(succession?.foundingName ?? null),
    succession?.nvIndex ?? '',
  ];
}

const hex = (bytes: Uint8Array | null) => (bytes === null ? '' : Buffer.from(bytes).toString('hex'));

function factData(facts: SealedFacts): Uint8Array {
  return Buffer.from(factText(facts), 'utf8');
}

function wrapData(facts: SealedFacts, kekVersion: number): Uint8Array {
  return Buffer.from(`${factText(facts)}|kek ${kekVersion}`, 'utf8');
}

/** Not the blob's fault: the token is away, or its KEK was destroyed since the row was read. */
function isUnavailable(cause: unknown): boolean {
  return isDomainError(cause) && cause.kind === 'unavailable';
}

function invalidBlob(facts: SealedFacts, cause?: unknown): DomainError {
  return new DomainError(
    'internal',
    'vault-blob-invalid',
    `The stored key of card ${facts.cardId}, version ${facts.keyVersion}, does not open: its row was altered, or it was ` +
      'sealed by another vault.',
    { cause },
  );
}
