import { createHmac } from 'node:crypto';
import { Secret } from '@cardwright/protocol';
import type { Custody } from './custody.ts';
import type { SecretFacts } from './key-record.ts';
import type { ImportableAlgorithm } from './operations.ts';
import type { SecretStore, Use } from './ports.ts';
import { openSecret, sealSecret } from './secret-seal.ts';
import { uuidOf } from './uuid.ts';

const KIND = 'fingerprint-key';
const NAME = 'imports';
const KEY_BYTES = 32;

export interface Fingerprinter {
  /** Equal for equal keys of an algorithm, and nothing without the vault's own key: 32 bytes. */
  of(key: Secret, algorithm: ImportableAlgorithm): Uint8Array;
  close(): void;
}

/**
 * Finds cards that share a key, without comparing keys and without a value in the database that could be tried against
 * guesses. Its key is made at the first import, and sealed like all else.
 */
export async function fingerprinter(custody: Custody, secrets: SecretStore, use: Use): Promise<Fingerprinter> {
  let stored = await secrets.findNamed(KIND, NAME);
  if (stored === undefined) {
    const fresh = Secret.take(custody.random(KEY_BYTES));
    const id = uuidOf(custody.random(16));
    const facts: SecretFacts = { id, kind: KIND, name: NAME, cardId: null, algorithm: null, kcv: null };
    try {
      const made = { ...use, operation: 'fingerprint-key.make', cardId: id, keyVersion: null, challengeDigest: null };
      await secrets.addSecret(facts, await sealSecret(custody, facts, fresh), made);
    } finally {
      fresh.wipe();
    }
    stored = await secrets.findNamed(KIND, NAME);
  }
  if (stored === undefined) throw new Error('the key of the fingerprints was stored and is not there');
  const opened = await openSecret(custody, stored);
  return {
    of: (key, algorithm) =>
      opened.use((bytes) =>
        key.use((given) => {
          // Parity bits do not matter to TDES: keys that differ only in them are one key.
          const normal = algorithm === 'tdes' ? given.map((byte) => byte & 0xfe) : Uint8Array.from(given);
          const digest = createHmac('sha256', bytes).update(algorithm).update('\0').update(normal).digest();
          normal.fill(0);
          return new Uint8Array(digest);
        }),
      ),
    close: () => opened.wipe(),
  };
}
