import type { Checkpoint } from '../record/checkpoint.ts';
import { BEGINNING, entryHash, type Head, signedText } from '../record/entry.ts';
import { isSignedBy, publicKeyOf } from '../record/signer.ts';
import type { StoredEntry } from '../uses.pg.ts';

/** Something in the record that the vault did not write so. */
export interface Finding {
  readonly kind: 'altered' | 'missing' | 'signature-wrong' | 'end-not-signed' | 'rolled-back' | 'acknowledged';
  /** Decimal. */
  readonly sequence: string;
  readonly detail: string;
}

export const ACKNOWLEDGED = 'vault.record-acknowledged';

/**
 * Follows the chain from its beginning, and gives each place where it does not hold. A signature covers all before it, so
 * the last one is what counts; those by earlier keys of the vault need no check of their own.
 * @param checkpoint what the vault remembers beside its keys, read before the record was. Its key is who is believed.
 */
export async function* verifyRecord(
  entries: AsyncIterable<StoredEntry>,
  checkpoint: Checkpoint | undefined,
): AsyncGenerator<Finding, Head> {
  const key = checkpoint === undefined ? undefined : publicKeyOf(checkpoint.publicKey);
  let head = BEGINNING;
  let last: StoredEntry | undefined;
  for await (const entry of entries) {
    const sequence = String(entry.sequence);
    if (entry.sequence !== head.sequence + 1n) {
      yield {
        kind: 'missing',
        sequence,
        detail: `entries ${head.sequence + 1n} to ${entry.sequence - 1n} are not there`,
      };
    } else if (Buffer.compare(entryHash(head.hash, entry), entry.hash) !== 0) {
      yield { kind: 'altered', sequence, detail: 'the entry, or the one before it, is not what was written' };
    }
    head = { sequence: entry.sequence, hash: entry.hash };
    if (entry.use.operation === ACKNOWLEDGED) {
      yield {
        kind: 'acknowledged',
        sequence,
        detail: `${entry.use.requestedBy} accepted ${entry.outcome}: ${entry.use.requestId}`,
      };
    }
    if (entry.sequence === checkpoint?.head.sequence && Buffer.compare(entry.hash, checkpoint.head.hash) !== 0) {
      yield { kind: 'altered', sequence, detail: 'the vault remembers another entry of this number' };
    }
    if (entry.signed !== null && key !== undefined && entry.signed.keyVersion === checkpoint?.keyVersion) {
      if (!isSignedBy(key, signedText(head), entry.signed.signature)) {
        yield {
          kind: 'signature-wrong',
          sequence,
          detail: 'the signature of this entry is not by the key of the vault',
        };
      }
    }
    last = entry;
  }
  if (
    last !== undefined &&
    (last.signed === null || (checkpoint && last.signed.keyVersion !== checkpoint.keyVersion))
  ) {
    const detail = 'The last entry carries no signature of the key that the vault has now.';
    yield { kind: 'end-not-signed', sequence: String(last.sequence), detail };
  }
  if (checkpoint !== undefined && checkpoint.head.sequence > head.sequence) {
    const detail = `The vault remembers ${checkpoint.head.sequence} entries; the record ends before.`;
    yield { kind: 'rolled-back', sequence: String(head.sequence), detail };
  }
  return head;
}
