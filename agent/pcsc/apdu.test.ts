import { describe, expect, it } from 'vitest';
import { decodeResponse, encodeCommand, send } from './apdu.ts';
import type { ApduChannel, Bytes } from './port.ts';

const hex = (bytes: Bytes) => Buffer.from(bytes).toString('hex');
const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));
const head = { ins: 0xcb, p1: 0x3f, p2: 0xff };

/** Says the answers one after the other and remembers what it was asked. */
function card(...answers: string[]): ApduChannel & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    transmit: async (command) => {
      asked.push(hex(command));
      return bytes(answers[Math.min(asked.length, answers.length) - 1] ?? '');
    },
  };
}

describe('a command (ISO/IEC 7816-3 section 12.1.3)', () => {
  it.each([
    ['case 1', {}, '00cb3fff'],
    ['case 2 short', { expected: 5 }, '00cb3fff05'],
    ['case 2 short, all there is', { expected: 256 }, '00cb3fff00'],
    ['case 3 short', { data: bytes('5c02') }, '00cb3fff025c02'],
    ['case 4 short', { data: bytes('5c02'), expected: 256 }, '00cb3fff025c0200'],
    ['case 2 extended', { expected: 257 }, '00cb3fff000101'],
    ['case 2 extended, all there is', { expected: 65_536 }, '00cb3fff000000'],
    ['case 4 extended', { data: bytes('5c02'), expected: 65_536 }, '00cb3fff0000025c020000'],
    ['another class', { cla: 0x10, data: bytes('5c') }, '10cb3fff015c'],
  ])('of %s', (_, more, expected) => {
    expect(hex(encodeCommand({ ...head, ...more }))).toBe(expected);
  });

  it.each([
    [255, '00cb3fffff'],
    [256, '00cb3fff000100'],
    [65_535, '00cb3fff00ffff'],
  ])('with %i bytes of data', (length, start) => {
    const encoded = hex(encodeCommand({ ...head, data: new Uint8Array(length).fill(0xaa) }));
    expect(encoded).toBe(start + 'aa'.repeat(length));
  });

  it('that is too long is a defect of the caller', () => {
    expect(() => encodeCommand({ ...head, data: new Uint8Array(65_536) })).toThrow(RangeError);
    expect(() => encodeCommand({ ...head, expected: 65_537 })).toThrow(RangeError);
  });
});

describe('a response', () => {
  it('is data and a status', () => {
    expect(decodeResponse(bytes('01029000'))).toEqual({ data: bytes('0102'), status: 0x9000 });
  });

  it.each(['', '90'])('of %j is none', (text) => {
    expect(() => decodeResponse(bytes(text))).toThrow(expect.objectContaining({ code: 'card-answer-malformed' }));
  });

  it('is fetched whole when the card holds some back', async () => {
    const speaking = card('01026103', '0304056100', '069000');
    expect(await send(speaking, { ...head, expected: 256 })).toEqual({ data: bytes('010203040506'), status: 0x9000 });
    expect(speaking.asked).toEqual(['00cb3fff00', '00c0000003', '00c0000000']);
  });

  it('is asked for again with the length that the card names', async () => {
    const speaking = card('6c10', '019000');
    expect(await send(speaking, { ...head, expected: 256 })).toMatchObject({ status: 0x9000 });
    expect(speaking.asked).toEqual(['00cb3fff00', '00cb3fff10']);
  });

  it('that never ends is not waited for', async () => {
    await expect(send(card('016101'), head)).rejects.toMatchObject({ code: 'card-answer-malformed' });
  });
});

it('the bytes of a command are wiped after it was carried', async () => {
  let carried = new Uint8Array();
  const holding: ApduChannel = {
    transmit: async (command) => {
      carried = command as Uint8Array<ArrayBuffer>;
      return bytes('9000');
    },
  };
  await send(holding, { ...head, data: bytes('5ec4e7') });
  expect(hex(carried)).toMatch(/^0+$/);
});
