import { createHash } from 'node:crypto';
import type { Use } from '../ports.ts';

/** One entry of the record as it is numbered, dated and chained. */
export interface Entry {
  /** 1, 2, 3 … without gaps. */
  readonly sequence: bigint;
  /** Microseconds since 1970, UTC: PostgreSQL's own resolution, so that what was hashed is what is read back. */
  readonly atMicros: bigint;
  readonly use: Use;
  /** 'done', or the code of the refusal. */
  readonly outcome: string;
}

/** The end of a chain: the number and the hash of its last entry. */
export interface Head {
  readonly sequence: bigint;
  /** SHA-256, 32 bytes. */
  readonly hash: Uint8Array;
}

/** Before the first entry. */
export const BEGINNING: Head = { sequence: 0n, hash: new Uint8Array(32) };

/** What the vault itself does, which no caller asked for, is of no card: the record has this in the card's place. */
export const NO_CARD = '00000000-0000-0000-0000-000000000000';

const NONE = Buffer.from('ffffffff', 'hex');

/**
 * SHA-256 of: hash before (32) | sequence (8) | time in microseconds (8) | operation | card | key version | requested by |
 * request id | challenge digest | outcome. Each of the last seven is UTF-8 text (the digest: its bytes) after its length
 * (4), or ffffffff where there is none: two different entries never give the same bytes. Integers are big-endian.
 * The layout can't change as long as a record lives; migration 0003 has it in SQL.
 */
export function entryHash(before: Uint8Array, { sequence, atMicros, use, outcome }: Entry): Uint8Array {
  const numbers = Buffer.alloc(16);
  numbers.writeBigInt64BE(sequence, 0);
  numbers.writeBigInt64BE(atMicros, 8);
  const hash = createHash('sha256').update(before).update(numbers);
  const { operation, cardId, keyVersion, requestedBy, requestId, challengeDigest } = use;
  for (const text of [operation, cardId, keyVersion?.toString() ?? null, requestedBy, requestId]) {
    addField(hash, text === null ? null : Buffer.from(text, 'utf8'));
  }
  addField(hash, challengeDigest);
  addField(hash, Buffer.from(outcome, 'utf8'));
  return new Uint8Array(hash.digest());
}

function addField(hash: ReturnType<typeof createHash>, content: Uint8Array | null): void {
  if (content === null) {
    hash.update(NONE);
    return;
  }
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  hash.update(length).update(content);
}

/** What is signed of the end of a chain. The first line keeps a signature from being taken for one of something else. */
export function signedText({ sequence, hash }: Head): Uint8Array {
  return Buffer.from(`cardwright vault record 1\n${sequence}\n${Buffer.from(hash).toString('hex')}\n`, 'utf8');
}

export function sameHead(a: Head, b: Head): boolean {
  return a.sequence === b.sequence && Buffer.compare(a.hash, b.hash) === 0;
}
