import { BEGINNING, type Head } from './entry.ts';
import { isSignedBy, publicKeyOf, type RecordSigner } from './signer.ts';

/**
 * What the vault remembers of its record outside of the database: how far it had come. A database that is put back to an
 * older state, or cut off at its end, does not have that entry.
 */
export interface Checkpoint {
  /** Grows when an operator acknowledges that the record went back; within one, `head.sequence` only grows. */
  readonly epoch: number;
  readonly head: Head;
  readonly keyVersion: number;
  /** Of the signer, SPKI DER: what `audit` checks signatures with, without any secret. */
  readonly publicKey: Uint8Array;
}

/** One of two places in the file; they are written in turn, so a write that was cut off leaves the one before. */
export const SLOT_BYTES = 512;
export const SLOTS = 2;
const FORMAT = 'cardwright-vault-checkpoint-1';

/** A slot: one line of JSON, padded with blanks to its size. */
export function encodeSlot(checkpoint: Checkpoint, signer: Pick<RecordSigner, 'sign'>): Buffer {
  const said = statement(checkpoint);
  const signature = Buffer.from(signer.sign(Buffer.from(said, 'utf8'))).toString('base64');
  const slot = Buffer.alloc(SLOT_BYTES, ' ');
  if (slot.write(JSON.stringify({ said, signature })) >= SLOT_BYTES) throw new RangeError('a checkpoint fits its slot');
  slot[SLOT_BYTES - 1] = 0x0a;
  return slot;
}

/** @returns the newest checkpoint that is whole and carries its own key's signature; undefined when there is none. */
export function decodeSlots(file: Uint8Array): Checkpoint | undefined {
  let newest: Checkpoint | undefined;
  for (let at = 0; at < SLOTS; at++) {
    const found = decodeSlot(Buffer.from(file).subarray(at * SLOT_BYTES, (at + 1) * SLOT_BYTES));
    if (found !== undefined && (newest === undefined || isLater(found, newest))) newest = found;
  }
  return newest;
}

export function isLater(a: Checkpoint, b: Checkpoint): boolean {
  return a.epoch > b.epoch || (a.epoch === b.epoch && a.head.sequence > b.head.sequence);
}

export const NO_CHECKPOINT = { epoch: 0, head: BEGINNING } as const;

function statement({ epoch, head, keyVersion, publicKey }: Checkpoint): string {
  const [hash, key] = [Buffer.from(head.hash).toString('hex'), Buffer.from(publicKey).toString('base64')];
  return [FORMAT, epoch, head.sequence, hash, keyVersion, key].join(' ');
}

const STATEMENT = new RegExp(`^${FORMAT} (\\d{1,9}) (\\d{1,18}) ([0-9a-f]{64}) (\\d{1,9}) ([A-Za-z0-9+/=]{60})$`);

function decodeSlot(slot: Buffer): Checkpoint | undefined {
  try {
    const { said, signature } = JSON.parse(slot.toString('utf8')) as { said?: unknown; signature?: unknown };
    if (typeof said !== 'string' || typeof signature !== 'string') return undefined;
    const [, epoch = '', sequence = '', hash = '', keyVersion = '', key = ''] = STATEMENT.exec(said) ?? [];
    const publicKey = new Uint8Array(Buffer.from(key, 'base64'));
    const content = Buffer.from(said, 'utf8');
    if (!isSignedBy(publicKeyOf(publicKey), content, Buffer.from(signature, 'base64'))) return undefined;
    const head = { sequence: BigInt(sequence), hash: new Uint8Array(Buffer.from(hash, 'hex')) };
    return { epoch: Number(epoch), head, keyVersion: Number(keyVersion), publicKey };
  } catch {
    return undefined; // cut off, or no slot at all
  }
}
