import { DomainError } from '@cardwright/protocol';
import type { Database } from '../pool.pg.ts';
import type { KeyProvider } from '../provider.ts';
import { ANY_SIGNATURE, FIND_HEAD, READ_ENTRIES, SIGN_HEAD, type StoredEntry, toStoredEntry } from '../uses.pg.ts';
import { alertGate } from './alert-gate.ts';
import { openCheckpointFile } from './checkpoint.file.ts';
import type { Checkpoint } from './checkpoint.ts';
import { BEGINNING, entryHash, type Head, sameHead, signedText } from './entry.ts';
import { type RecordOptions, type VaultRecord, vaultRecord } from './record.pg.ts';
import { isSignedBy, publicKeyOf, type RecordSigner, recordSigner } from './signer.ts';

export interface OpenRecordOptions extends Pick<RecordOptions, 'onAlert' | 'onForeign' | 'now'> {
  readonly database: Database;
  readonly provider: Pick<KeyProvider, 'masterVersion' | 'derive'>;
  readonly checkpointFile: string;
}

export interface OpenRecord extends VaultRecord {
  close(): Promise<void>;
}

const PAGE = 2000;

/**
 * Looks whether the record in the database is the one that this vault left, and goes on with it.
 * @throws DomainError (conflict) `vault-record-rolled-back`: the database is older than the checkpoint beside the keys;
 *   `vault-record-altered`: it has another entry there, or does not fit together after it; `vault-record-unsigned`: its
 *   last entry carries no signature of this vault; `vault-record-checkpoint-missing`: there is a record, and no
 *   checkpoint to hold it against. Also those of {@link openCheckpointFile}. An operator who has looked into it
 *   acknowledges it (acknowledge.ts); until then nothing is served.
 */
export async function openRecord(options: OpenRecordOptions): Promise<OpenRecord> {
  const signers = new Map<number, RecordSigner>();
  async function signerOf(version: number): Promise<RecordSigner> {
    const signer = signers.get(version) ?? (await recordSigner(options.provider, version));
    signers.set(version, signer);
    return signer;
  }
  async function isOwnSignature(version: number, head: Head, signature: Uint8Array): Promise<boolean> {
    const { publicKey } = await signerOf(version);
    return isSignedBy(publicKeyOf(publicKey), signedText(head), signature);
  }
  const signer = await signerOf(options.provider.masterVersion);
  const file = await openCheckpointFile(options.checkpointFile, signer);
  try {
    const { database, onAlert, onForeign, now } = options;
    const head = await checkedHead(database, file.found, signer, { signerOf, isOwnSignature });
    await file.advance(head);
    const onHead = (reached: Head) => file.advance(reached);
    const alerts = alertGate();
    const record = vaultRecord({ database, signer, head, alerts, now, onHead, isOwnSignature, onForeign, onAlert });
    return { ...record, close: () => file.close() };
  } catch (error) {
    await file.close();
    throw error;
  }
}

interface OwnKeys {
  readonly signerOf: (version: number) => Promise<RecordSigner>;
  readonly isOwnSignature: RecordOptions['isOwnSignature'];
}

async function checkedHead(
  database: Database,
  checkpoint: Checkpoint | undefined,
  signer: RecordSigner,
  own: OwnKeys,
): Promise<Head> {
  const stored = await findHead(database);
  if (stored === undefined) {
    if (checkpoint !== undefined && checkpoint.head.sequence > 0n) throw rolledBack(checkpoint, 0n);
    return BEGINNING;
  }
  if (checkpoint === undefined) return withoutCheckpoint(database, stored, signer);
  const known = await own.signerOf(checkpoint.keyVersion);
  if (Buffer.compare(known.publicKey, checkpoint.publicKey) !== 0) {
    throw refusal(
      'checkpoint-invalid',
      'The checkpoint of the record was signed with another key than this vault has.',
    );
  }
  if (stored.sequence < checkpoint.head.sequence) throw rolledBack(checkpoint, stored.sequence);
  await demandChain(database, checkpoint.head, stored);
  if (
    stored.signed === null ||
    !(await own.isOwnSignature(stored.signed.keyVersion, stored, stored.signed.signature))
  ) {
    throw refusal('unsigned', `The last entry of the record, ${stored.sequence}, carries no signature of this vault.`);
  }
  return stored;
}

/** From the checkpoint to the end: few entries, as the checkpoint follows every commit. */
async function demandChain(database: Database, from: Head, to: Head): Promise<void> {
  let at = await startOf(database, from);
  while (at.sequence < to.sequence) {
    const { rows } = await database.query(READ_ENTRIES, [at.sequence, PAGE]);
    const entries = rows.map(toStoredEntry);
    if (entries.length === 0) throw alteredAt(at.sequence + 1n);
    for (const entry of entries) at = follow(at, entry);
  }
}

async function startOf(database: Database, from: Head): Promise<Head> {
  if (from.sequence === 0n) return BEGINNING;
  const { rows } = await database.query(READ_ENTRIES, [from.sequence - 1n, 1]);
  const [entry] = rows.map(toStoredEntry);
  if (entry === undefined || !sameHead(from, entry)) throw alteredAt(from.sequence);
  return from;
}

/** @throws DomainError `vault-record-altered` when the entry is not the next of the chain. */
function follow(before: Head, entry: StoredEntry): Head {
  const sequence = before.sequence + 1n;
  if (entry.sequence !== sequence || Buffer.compare(entryHash(before.hash, entry), entry.hash) !== 0) {
    throw alteredAt(sequence);
  }
  return { sequence, hash: entry.hash };
}

/**
 * A record without any signature is from before there were any: it is taken as it stands. One with signatures had a
 * checkpoint, which got lost, or this is another host, or somebody hopes that nobody notices.
 */
async function withoutCheckpoint(database: Database, stored: Head, signer: RecordSigner): Promise<Head> {
  if ((await database.query(ANY_SIGNATURE, [])).rows.length > 0) {
    throw refusal(
      'checkpoint-missing',
      `The record has entries up to ${stored.sequence}, and the checkpoint beside the keys is not there: put it back, or ` +
        'have an operator acknowledge that the record can not be compared with what it was.',
    );
  }
  const signature = Buffer.from(signer.signHead(stored));
  await database.query(SIGN_HEAD, [stored.sequence, signer.keyVersion, signature]);
  return stored;
}

type StoredHead = Head & Pick<StoredEntry, 'signed'>;

export async function findHead(database: Database): Promise<StoredHead | undefined> {
  const [row] = (await database.query(FIND_HEAD, [])).rows;
  if (row === undefined) return undefined;
  const signature = row.signature as Buffer | null;
  return {
    sequence: BigInt(row.id as string),
    hash: row.hash as Buffer,
    signed: signature === null ? null : { keyVersion: row.key_version as number, signature },
  };
}

function rolledBack({ head }: Checkpoint, found: bigint): DomainError {
  return refusal(
    'rolled-back',
    `The record in the database ends at entry ${found}, and this vault has written ${head.sequence}: the database is an ` +
      'older one, or was cut off. Bring the newest back, or have an operator acknowledge that what is missing is lost.',
  );
}

function alteredAt(sequence: bigint): DomainError {
  return refusal('altered', `The record in the database is not what this vault wrote, from entry ${sequence} on.`);
}

function refusal(what: string, detail: string): DomainError {
  return new DomainError('conflict', `vault-record-${what}`, detail);
}
