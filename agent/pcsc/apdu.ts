import { DomainError } from '@cardwright/protocol';
import type { ApduChannel, Bytes } from './port.ts';

/** ISO/IEC 7816-4 section 5.1. */
export interface CommandApdu {
  readonly cla?: number;
  readonly ins: number;
  readonly p1: number;
  readonly p2: number;
  readonly data?: Bytes;
  /** Ne: how many bytes of answer are wanted at most, 1 to 65536; absent for none. */
  readonly expected?: number;
}

export interface ResponseApdu {
  readonly data: Bytes;
  /** SW1 SW2 */
  readonly status: number;
}

/** For `expected`: all there is, of what a short response can hold. */
export const ANY_SHORT = 256;
export const STATUS = {
  done: 0x9000,
  securityStatusNotSatisfied: 0x6982,
  authenticationBlocked: 0x6983,
  conditionsNotSatisfied: 0x6985,
  fileNotFound: 0x6a82,
  referencedDataNotFound: 0x6a88,
} as const;

const SHORT_DATA_MAX = 255;
const EXTENDED_MAX = 65_536;
/** Of GET RESPONSE: more is not an answer but a card that never ends. */
const PARTS_MAX = 300;

/** Short where that is enough, else extended (section 5.2): not every card and reader takes extended ones. */
export function encodeCommand({ cla = 0, ins, p1, p2, data = new Uint8Array(), expected = 0 }: CommandApdu): Bytes {
  if (data.length >= EXTENDED_MAX || expected > EXTENDED_MAX) throw new RangeError('longer than an APDU can be');
  const extended = data.length > SHORT_DATA_MAX || expected > ANY_SHORT;
  const out: number[] = [cla, ins, p1, p2];
  if (extended) out.push(0);
  if (data.length > 0) out.push(...(extended ? [data.length >>> 8, data.length & 0xff] : [data.length]));
  // Le of 256, or of 65536 in the extended form, is written as zero.
  const le = expected === 0 ? [] : extended ? [(expected >>> 8) & 0xff, expected & 0xff] : [expected & 0xff];
  const bytes = new Uint8Array(out.length + data.length + le.length);
  bytes.set(out);
  bytes.set(data, out.length);
  bytes.set(le, out.length + data.length);
  return bytes;
}

/** Throws `card-answer-malformed`. */
export function decodeResponse(bytes: Bytes): ResponseApdu {
  if (bytes.length < 2) throw malformed(`${bytes.length} bytes where a status of two is the least`);
  const [sw1 = 0, sw2 = 0] = bytes.subarray(-2);
  return { data: new Uint8Array(bytes.subarray(0, -2)), status: sw1 * 256 + sw2 };
}

/**
 * One command and its whole answer: fetches what the card holds back (61xx, section 5.1.5), repeats with the length that
 * the card names (6Cxx). The bytes of the command are wiped when it was carried. Throws `card-answer-malformed` and what
 * the channel throws; what the status means is the caller's.
 */
export async function send(card: ApduChannel, command: CommandApdu): Promise<ResponseApdu> {
  let response = await transmit(card, command);
  if (response.status >> 8 === 0x6c) {
    response = await transmit(card, { ...command, expected: response.status & 0xff || ANY_SHORT });
  }
  const parts = [response.data];
  for (let count = 0; response.status >> 8 === 0x61; count++) {
    if (count === PARTS_MAX) throw malformed('it never comes to an end of its answer');
    const expected = response.status & 0xff || ANY_SHORT;
    response = await transmit(card, { cla: command.cla ?? 0, ins: 0xc0, p1: 0, p2: 0, expected });
    parts.push(response.data);
  }
  return { data: new Uint8Array(Buffer.concat(parts)), status: response.status };
}

async function transmit(card: ApduChannel, command: CommandApdu): Promise<ResponseApdu> {
  const bytes = encodeCommand(command);
  try {
    return decodeResponse(await card.transmit(bytes));
  } finally {
    bytes.fill(0);
  }
}

export function malformed(what: string): DomainError {
  return new DomainError('unprocessable', 'card-answer-malformed', `The card's answer can't be read: ${what}.`);
}
