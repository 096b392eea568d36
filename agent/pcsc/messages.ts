import { DomainError } from '@cardwright/protocol';
import type { Bytes, Reader } from './port.ts';

/**
 * What pcscd and its clients say to each other over the socket: pcsc-lite's winscard_msg.h, protocol 4:4 (pcsc-lite 1.8.24
 * to 1.9; later ones speak it too). C structures in the machine's own byte order, which is little-endian on every machine
 * that the agent is built for. A request is a header (size, command) and a structure; the answer is the same structure,
 * filled in, without a header.
 */
export const PROTOCOL = { major: 4, minor: 4 } as const;
export const COMMAND = {
  establishContext: 0x01,
  releaseContext: 0x02,
  connect: 0x04,
  disconnect: 0x06,
  beginTransaction: 0x07,
  endTransaction: 0x08,
  transmit: 0x09,
  version: 0x11,
  readersState: 0x12,
} as const;

export const SCOPE_SYSTEM = 2;
export const SHARE_SHARED = 2;
/** T=0 or T=1, whichever the card speaks. */
export const PROTOCOL_ANY = 3;
export const DISPOSITION = { leave: 0, reset: 1 } as const;

/** MAX_BUFFER_SIZE_EXTENDED: an extended APDU, and more than its response. */
export const APDU_BYTES_MAX = 65_548;

const READER_NAME_BYTES = 128;
const ATR_BYTES = 33;
/** name, event counter, state, sharing, ATR padded to 36, its length, protocol */
const READER_STATE_BYTES = READER_NAME_BYTES + 4 * 3 + 36 + 4 * 2;
const READERS_MAX = 16;
export const READERS_STATE_BYTES = READERS_MAX * READER_STATE_BYTES;

const STATE_PRESENT = 0x04;
/** sizeof(SCARD_IO_REQUEST): two longs. */
const IO_REQUEST_BYTES = 16;

export function header(command: number, size: number): Bytes {
  return words(size, command);
}

export const versionBody = () => words(PROTOCOL.major, PROTOCOL.minor, 0);
export const establishBody = () => words(SCOPE_SYSTEM, 0, 0);
export const releaseBody = (context: number) => words(context, 0);
export const transactionBody = (card: number) => words(card, 0);
/** Of disconnect and of endTransaction. */
export const dispositionBody = (card: number, disposition: number) => words(card, disposition, 0);

/** Throws `card-reader-unknown` for a name that no reader can have. */
export function connectBody(context: number, reader: string): Bytes {
  const name = new TextEncoder().encode(reader);
  if (name.length === 0 || name.length >= READER_NAME_BYTES || name.includes(0)) {
    throw new DomainError('unavailable', 'card-reader-unknown', 'No card reader can have that name.');
  }
  const field = new Uint8Array(READER_NAME_BYTES);
  field.set(name);
  return new Uint8Array(
    Buffer.concat([words(context), field, words(SHARE_SHARED, PROTOCOL_ANY), words(0), words(0), words(0)]),
  );
}

/** The APDU follows it. */
export function transmitBody(card: number, protocol: number, length: number): Bytes {
  return words(card, protocol, IO_REQUEST_BYTES, length, protocol, IO_REQUEST_BYTES, APDU_BYTES_MAX, 0);
}

/** The word at `index`, counted from the end if negative. Every answer ends with its return value. */
export function word(body: Bytes, index: number): number {
  const at = (index < 0 ? body.length / 4 + index : index) * 4;
  return new DataView(body.buffer, body.byteOffset, body.length).getUint32(at, true);
}

/** The readers that there are; throws `pcsc-answer-malformed`. */
export function parseReaders(body: Bytes): readonly Reader[] {
  if (body.length !== READERS_STATE_BYTES) throw notPcscd(`the state of readers has ${body.length} bytes`);
  const readers: Reader[] = [];
  for (let at = 0; at < body.length; at += READER_STATE_BYTES) {
    const one = body.subarray(at, at + READER_STATE_BYTES);
    const end = one.indexOf(0);
    if (end === 0) continue;
    if (end < 0 || end >= READER_NAME_BYTES) throw notPcscd("a reader's name has no end");
    const length = word(one, -2);
    if (length > ATR_BYTES) throw notPcscd('an answer to reset is longer than one can be');
    const atrAt = READER_NAME_BYTES + 12;
    const cardPresent = (word(one, READER_NAME_BYTES / 4 + 1) & STATE_PRESENT) !== 0;
    readers.push({
      name: new TextDecoder().decode(one.subarray(0, end)),
      cardPresent,
      atr: cardPresent ? new Uint8Array(one.subarray(atrAt, atrAt + length)) : new Uint8Array(),
    });
  }
  return readers;
}

export function notPcscd(what: string): DomainError {
  const detail = `What answers at the PC/SC service's socket does not speak its protocol (4:4): ${what}.`;
  return new DomainError('unavailable', 'pcsc-answer-malformed', detail);
}

function words(...values: readonly number[]): Bytes {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of values.entries()) view.setUint32(index * 4, value >>> 0, true);
  return bytes;
}
