import { randomBytes } from 'node:crypto';
import { isDomainError } from '@cardwright/protocol';
import { describe, expect, it } from 'vitest';
import { connectBody, parseReaders, READERS_STATE_BYTES, transmitBody, word } from './messages.ts';

const ENTRY = READERS_STATE_BYTES / 16;

/** As pcscd 1.9.9 on amd64 sends it. */
function state(at: number, name: string, bits: number, atr: Uint8Array): Buffer {
  const all = Buffer.alloc(READERS_STATE_BYTES);
  all.write(name, at * ENTRY);
  all.writeUInt32LE(3, at * ENTRY + 128);
  all.writeUInt32LE(bits, at * ENTRY + 132);
  all.set(atr, at * ENTRY + 140);
  all.writeUInt32LE(atr.length, at * ENTRY + 176);
  return all;
}

describe('the state of the readers', () => {
  it('has those that there are, wherever they stand', () => {
    const atr = Buffer.from('3b8d0180fba000000397425446590401cf', 'hex');
    const [reader] = parseReaders(state(15, 'Some Reader 00 00', 0x34, atr));
    expect(reader).toEqual({ name: 'Some Reader 00 00', cardPresent: true, atr: new Uint8Array(atr) });
    expect(parseReaders(Buffer.alloc(READERS_STATE_BYTES))).toEqual([]);
  });

  it('shows no answer to reset of a card that has gone', () => {
    expect(parseReaders(state(0, 'R', 0x02, Buffer.from('3b00', 'hex')))).toMatchObject([
      { cardPresent: false, atr: {} },
    ]);
  });

  it.each([
    ['another length', Buffer.alloc(10)],
    ['a name without an end', state(0, 'R'.repeat(ENTRY), 0, Buffer.alloc(0))],
    ['a long answer to reset', state(0, 'R', 4, Buffer.alloc(34))],
  ])('with %s is refused', (_, body) => {
    expect(() => parseReaders(body)).toThrow(expect.objectContaining({ code: 'pcsc-answer-malformed' }));
  });

  it('of any bytes is read or refused', () => {
    for (let round = 0; round < 300; round++) {
      try {
        for (const { atr } of parseReaders(randomBytes(READERS_STATE_BYTES))) expect(atr.length).toBeLessThan(34);
      } catch (error) {
        if (!isDomainError(error)) throw error;
      }
    }
  });
});

describe('a request', () => {
  it('to connect has the name in its field', () => {
    const body = connectBody(0x01020304, 'Réader');
    expect(body).toHaveLength(152);
    expect(word(body, 0)).toBe(0x01020304);
    expect(Buffer.from(body.subarray(4, 12)).toString()).toBe('Réader\0');
  });

  it.each(['', 'x'.repeat(128), 'a\0b'])('to connect to %j is none', (name) => {
    expect(() => connectBody(1, name)).toThrow(expect.objectContaining({ code: 'card-reader-unknown' }));
  });

  it('to transmit says how long the command is and how long the answer may be', () => {
    const body = transmitBody(-5 >>> 0, 2, 13);
    expect([...Array(8).keys()].map((index) => word(body, index))).toEqual([-5 >>> 0, 2, 16, 13, 2, 16, 65_548, 0]);
  });
});
