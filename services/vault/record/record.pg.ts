import { Batch } from '@cardwright/link';
import { DomainError } from '@cardwright/protocol';
import type { Database } from '../pool.pg.ts';
import type { Use, UseRecord } from '../ports.ts';
import {
  APPEND,
  appendValues,
  type ChainedEntry,
  type ChangeStatement,
  FIND_ENTRY_HASH,
  type Link,
  READ_ENTRIES,
  type StoredEntry,
  toStoredEntry,
} from '../uses.pg.ts';
import type { AlertGate } from './alert-gate.ts';
import { BEGINNING, entryHash, type Head } from './entry.ts';
import type { RecordSigner } from './signer.ts';

export interface RecordOptions {
  readonly database: Database;
  readonly signer: RecordSigner;
  /** Where the record ends, checked. */
  readonly head: Head;
  readonly alerts: AlertGate;
  readonly now: () => number;
  /** After a commit and before anybody is answered. */
  readonly onHead: (head: Head) => Promise<void>;
  /** Whether a key of this vault, of that version, signed this head. */
  readonly isOwnSignature: (keyVersion: number, head: Head, signature: Uint8Array) => Promise<boolean>;
  /** What another vault process on this database wrote. */
  readonly onForeign: (entry: StoredEntry) => void;
  readonly onAlert: (entry: ChainedEntry) => void;
}

/** The record of uses, and the only way in which keys change: together with an entry. */
export interface VaultRecord extends UseRecord {
  /**
   * Makes a change and its entry, both or neither.
   * @param values the statement's own parameters, from `$8`.
   * @param isFree asked with where the record ends, when nothing of this vault can come between; another vault's entries
   *   make it be asked again. False: nothing is changed.
   * @returns false when the statement changed no row; then there is no entry either.
   * @throws what the statement violates, as the driver's error; DomainError `vault-database-unavailable`,
   *   `vault-record-altered` (internal).
   */
  change(
    statement: ChangeStatement,
    use: Use,
    values: readonly unknown[],
    isFree?: (head: Head) => Promise<boolean>,
  ): Promise<boolean>;
  /** Where the record ends, as far as this vault has read or written it. */
  head(): Head;
}

/** Others that write at the same moment get their turn between two attempts of ours. */
const MAX_ATTEMPTS = 100;
const PAGE = 1000;

/**
 * Group commit: all uses that wait share one statement, one signature and one flush to disk. Each resolves after that
 * commit. One commit is under way at a time, because each entry's hash covers the one before it.
 */
export function vaultRecord(options: RecordOptions): VaultRecord {
  const { database, signer, alerts, now } = options;
  let { head } = options;
  let turn: Promise<unknown> = Promise.resolve();

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined);
    return mine;
  }

  function link(uses: readonly { readonly use: Use; readonly outcome: string; readonly alert: boolean }[]): Link {
    const atMicros = BigInt(now()) * 1000n;
    let last = head;
    const entries = uses.map(({ use, outcome, alert }): ChainedEntry => {
      const entry = { sequence: last.sequence + 1n, atMicros, use, outcome };
      last = { sequence: entry.sequence, hash: entryHash(last.hash, entry) };
      return { ...entry, hash: last.hash, alert };
    });
    return { before: head, entries, keyVersion: signer.keyVersion, signature: signer.signHead(last) };
  }

  /** @param make gives nothing when nothing is to be written. @param write gives whether the link was written; it fails as one whose place is taken when it was not the next. */
  async function append(
    make: () => Promise<Link | undefined>,
    write: (link: Link) => Promise<boolean>,
  ): Promise<boolean> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const next = await make();
      if (next === undefined) return false;
      try {
        if (!(await write(next))) return false;
      } catch (error) {
        if (!isPlaceTaken(error)) throw error;
        await catchUp();
        continue;
      }
      const last = next.entries.at(-1);
      if (last !== undefined) head = { sequence: last.sequence, hash: last.hash };
      await options.onHead(head);
      for (const entry of next.entries) if (entry.alert) options.onAlert(entry);
      return true;
    }
    throw new DomainError('unavailable', 'vault-record-busy', 'Too many vaults write into one record at once.');
  }

  /** Another vault process wrote, or a commit of ours whose answer was lost. What follows must be signed by our key. */
  async function catchUp(): Promise<void> {
    if (head.sequence > 0n) {
      const { rows } = await database.query(FIND_ENTRY_HASH, [head.sequence]);
      const stored = rows[0]?.hash as Buffer | undefined;
      if (stored === undefined || Buffer.compare(stored, head.hash) !== 0) throw altered(head.sequence);
    } else {
      head = BEGINNING;
    }
    for (;;) {
      const { rows } = await database.query(READ_ENTRIES, [head.sequence, PAGE]);
      const entries = rows.map(toStoredEntry);
      let at = head;
      for (const entry of entries) {
        if (entry.sequence !== at.sequence + 1n) throw altered(entry.sequence);
        if (Buffer.compare(entryHash(at.hash, entry), entry.hash) !== 0) throw altered(entry.sequence);
        at = { sequence: entry.sequence, hash: entry.hash };
      }
      const last = entries.at(-1);
      if (last === undefined) return;
      if (entries.length < PAGE && !(await isOurs(last, at))) throw altered(last.sequence);
      head = at;
      for (const entry of entries) options.onForeign(entry);
      if (entries.length < PAGE) return;
    }
  }

  async function isOurs({ signed }: StoredEntry, at: Head): Promise<boolean> {
    return signed !== null && (await options.isOwnSignature(signed.keyVersion, at, signed.signature));
  }

  const batch = new Batch<{ use: Use; outcome: string; alert: boolean }, undefined>(
    async (uses) => {
      await inTurn(() =>
        append(
          async () => link(uses),
          async (next) => (await database.query(APPEND, appendValues(next))).count > 0,
        ),
      );
      return uses.map(() => undefined);
    },
    { maxSize: 500, maxUnderWay: 1 },
  );

  return {
    record: (use, outcome) => batch.ask({ use, outcome, alert: alerts.wants(use, outcome, now()) }),
    head: () => head,
    change: (statement, use, values, isFree = async () => true) =>
      inTurn(() =>
        append(
          async () => ((await isFree(head)) ? link([{ use, outcome: 'done', alert: false }]) : undefined),
          async (next) => (await database.query(statement, statement.values(next, values))).count === 1,
        ),
      ),
  };
}

/** SQLSTATE 23505 on the number (of the entry, its signature or its alert), or 23502: it was not the next one. */
function isPlaceTaken(error: unknown): boolean {
  const { code, table, column } = error as Record<string, unknown>;
  if (code === '23502') return table === 'uses' && column === 'id';
  return code === '23505' && ['uses', 'record_signatures', 'alerts'].includes(String(table));
}

function altered(sequence: bigint): DomainError {
  return new DomainError(
    'internal',
    'vault-record-altered',
    `The record was altered behind the vault at entry ${sequence}: nothing is answered until that is looked into.`,
  );
}
