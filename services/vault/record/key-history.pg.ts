import { DomainError } from '@cardwright/protocol';
import type { Database } from '../pool.pg.ts';
import { READ_ENTRIES, toStoredEntry } from '../uses.pg.ts';
import { entryHash, type Head } from './entry.ts';

/**
 * How many entries may lie between the making of a key and its first write: a card is made in minutes. What is older is
 * more likely a row that was put back, and to read a whole record for it would let anybody keep the vault busy.
 */
export const MAX_ENTRIES_SINCE_MADE = 100_000;
const PAGE = 2000;

const MADE = {
  name: 'vault-record-key-made',
  text: `SELECT min(u.id) AS id, (SELECT b.hash FROM vault.uses b WHERE b.id = min(u.id) - 1) AS hash_before
    FROM vault.uses u WHERE u.card_id = $1 AND u.key_version = $2 AND u.operation = 'key.make-for-tpm' AND u.outcome = 'done'`,
};

const FIRST_WRITE = {
  name: 'vault-record-first-write',
  text: `SELECT u.challenge_sha256 FROM vault.uses u WHERE u.card_id = $1 AND u.key_version = $2
    AND u.operation = 'tpm.first-write' AND u.outcome = 'done' ORDER BY u.id LIMIT 1`,
};

/** What the record tells of one version of a key, since it was made. */
export interface KeyHistory {
  /**
   * Reads on, and checks each entry by the hash of the one before it. Only when the last one is this very head, which the
   * vault itself remembers, is anything proved: then no entry since the making was taken away, put in or changed.
   * @throws DomainError `vault-record-altered` (internal); `first-write-unproven` (conflict).
   */
  readTo(head: Head): Promise<void>;
  /** Digests of the uses that signed its first write. */
  firstWrites(): readonly Uint8Array[];
}

/** @throws DomainError `first-write-unproven` (conflict): the record does not have that it was made. */
export async function keyHistory(database: Database, cardId: string, keyVersion: number): Promise<KeyHistory> {
  const [made] = (await database.query(MADE, [cardId, keyVersion])).rows;
  // int8 comes as text from the driver.
  const id = made?.id as string | null | undefined;
  if (id == null) throw unproven('the record does not have that this version was made');
  // Taken as it stands: it is right if all that follows leads to the head.
  let at: Head = { sequence: BigInt(id) - 1n, hash: (made?.hash_before as Buffer | null) ?? new Uint8Array(32) };
  const signed: Uint8Array[] = [];

  return {
    firstWrites: () => signed,
    async readTo(head) {
      if (head.sequence - at.sequence > BigInt(MAX_ENTRIES_SINCE_MADE)) throw unproven('it was made too long ago');
      while (at.sequence < head.sequence) {
        const { rows } = await database.query(READ_ENTRIES, [at.sequence, PAGE]);
        const before = at.sequence;
        for (const entry of rows.map(toStoredEntry)) {
          if (entry.sequence > head.sequence) break;
          const hash = entryHash(at.hash, entry);
          if (entry.sequence !== at.sequence + 1n || Buffer.compare(hash, entry.hash) !== 0)
            throw altered(entry.sequence);
          at = { sequence: entry.sequence, hash };
          const { use, outcome } = entry;
          // Whoever accepted a record that was put back accepted that first writes may be missing from it.
          if (use.operation === 'vault.record-acknowledged') throw unproven('a restored record was acknowledged since');
          if (use.operation !== 'tpm.first-write' || outcome !== 'done') continue;
          if (use.cardId === cardId && use.keyVersion === keyVersion)
            signed.push(use.challengeDigest ?? new Uint8Array());
        }
        if (at.sequence === before) throw altered(before + 1n);
      }
      if (Buffer.compare(at.hash, head.hash) !== 0) throw altered(head.sequence);
    },
  };
}

export async function findFirstWrite(
  database: Database,
  cardId: string,
  keyVersion: number,
): Promise<Uint8Array | undefined> {
  return (await database.query(FIRST_WRITE, [cardId, keyVersion])).rows[0]?.challenge_sha256 as Buffer | undefined;
}

function unproven(why: string): DomainError {
  return new DomainError(
    'conflict',
    'first-write-unproven',
    `The record can't show that no first write was signed for this version of the key: ${why}. Make another version, and ` +
      'the card anew.',
  );
}

function altered(sequence: bigint): DomainError {
  return new DomainError(
    'internal',
    'vault-record-altered',
    `The record was altered behind the vault at entry ${sequence}: nothing is signed for the first time until that is ` +
      'looked into.',
  );
}
