import { DomainError, Secret } from '@cardwright/protocol';
import { administratorKeyContext, type DerivedUse } from './derivation.ts';
import type { KeyFacts, KeyRecord, SealedKey } from './key-record.ts';
import { KEY_BYTES } from './key-text.ts';
import type { Algorithm } from './operations.ts';
import type { KeyProvider } from './provider.ts';
import { type Random, seal, unseal } from './sealing.ts';

/** All that a use case needs beside the store and the record of uses. */
export interface Custody {
  readonly provider: KeyProvider;
  readonly random: Random;
}

/** HMAC-SHA-256 key and the value that hides it in its public area (TPM 2.0 part 1, 27.5.3.2): 32 bytes each. */
export const HMAC_KEY_BYTES = 32;

/**
 * Opens the key of a row for one piece of work, and wipes it. Nothing is kept from one call to the next: a cache of
 * unsealed keys would be worth stealing, and opening one costs microseconds.
 * @throws DomainError `vault-blob-invalid` (internal).
 */
export async function withKey<T>({ provider }: Custody, record: KeyRecord, work: (key: Uint8Array) => T): Promise<T> {
  const opened = await unseal(provider, record, record);
  try {
    if (record.strategy === 'random-stored') return opened.use(work);
    const key = await deriveKey(provider, record, 'administrator-key');
    try {
      return key.use(work);
    } finally {
      key.wipe();
    }
  } finally {
    opened.wipe();
  }
}

/** A new HMAC key with its seed value; the caller wipes both. */
export async function newHmacKey(
  { provider, random }: Custody,
  facts: DerivedFacts,
): Promise<{ key: Secret; seedValue: Secret }> {
  if (facts.strategy === 'random-stored') {
    return { key: Secret.take(random(HMAC_KEY_BYTES)), seedValue: Secret.take(random(HMAC_KEY_BYTES)) };
  }
  // The seed value is derived too, so that key and Name can be had again from the master secret alone.
  return {
    key: await deriveKey(provider, facts, 'administrator-key'),
    seedValue: await deriveKey(provider, facts, 'tpm-seed-value'),
  };
}

export function sealKey({ provider, random }: Custody, facts: KeyFacts, key: Secret): Promise<SealedKey> {
  return seal(provider, random, facts, facts.strategy === 'random-stored' ? key : undefined);
}

/** A new key for a card that is not in a TPM; the caller wipes it. */
export async function newCardKey({ provider, random }: Custody, facts: DerivedFacts): Promise<Secret> {
  if (facts.strategy === 'random-stored') return Secret.take(random(keyBytes(facts.algorithm)));
  return deriveKey(provider, facts, 'administrator-key');
}

type DerivedFacts = Pick<KeyFacts, 'cardId' | 'keyVersion' | 'algorithm' | 'strategy' | 'masterVersion'>;

const keyBytes = (algorithm: Algorithm) => (algorithm === 'hmac-sha256' ? HMAC_KEY_BYTES : KEY_BYTES[algorithm]);

function deriveKey(provider: KeyProvider, facts: DerivedFacts, use: DerivedUse): Promise<Secret> {
  if (facts.masterVersion === null) {
    throw new DomainError('internal', 'vault-blob-invalid', 'A deterministic key names its master secret.');
  }
  const length = use === 'tpm-seed-value' ? HMAC_KEY_BYTES : keyBytes(facts.algorithm);
  return provider.derive(facts.masterVersion, administratorKeyContext(facts, use, length), length);
}
