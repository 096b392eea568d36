import { randomBytes, randomInt } from 'node:crypto';
import { expect, test } from 'vitest';
import { isDomainError } from '../errors.ts';
import { parseNvPublic } from './names.ts';
import { parsePublic } from './public-area.ts';
import { parseStoragePublic } from './storage-parent.ts';
import { MAX_STRUCTURE_BYTES, Reader, sized, Writer } from './wire.ts';

test('what the writer writes, the reader reads', () => {
  const bytes = new Writer().u8(0xff).u16(0xfffe).u32(0xfffffffd).sized(Uint8Array.of(1, 2)).done();
  const reader = new Reader(bytes);
  expect([reader.u8('a'), reader.u16('b'), reader.u32('c')]).toEqual([0xff, 0xfffe, 0xfffffffd]);
  expect(reader.sized(2, 'd')).toEqual(Uint8Array.of(1, 2));
  reader.end();
});

const tooShort = (read: (reader: Reader) => unknown) => () => read(new Reader(Uint8Array.of(0)));
test.each([
  ['u16 beyond the end', tooShort((reader) => reader.u16('x'))],
  ['u32 beyond the end', tooShort((reader) => reader.u32('x'))],
  ['bytes beyond the end', tooShort((reader) => reader.bytes(2, 'x'))],
  ['a size beyond the end', () => new Reader(Uint8Array.of(0, 5, 1)).sized(100, 'x')],
  ['a size over the bound', () => new Reader(Uint8Array.of(0, 2, 1, 1)).sized(1, 'x')],
  ['bytes left over', () => new Reader(Uint8Array.of(1)).end()],
  ['a structure longer than any', () => new Reader(new Uint8Array(MAX_STRUCTURE_BYTES + 1))],
])('%s is refused', (_, act) => {
  expect(act).toThrow(expect.objectContaining({ kind: 'unprocessable', code: 'tpm-structure-malformed' }));
});

test('the reader gives its caller’s code, and says where', () => {
  const act = () => new Reader(Uint8Array.of(0), 'tpm-response-malformed').u32('responseCode');
  expect(act).toThrow(
    expect.objectContaining({
      code: 'tpm-response-malformed',
      detail: 'At byte 0: responseCode needs 4 bytes, 1 are left.',
    }),
  );
});

test('a TPM2B longer than any TPM takes is not written', () => {
  const act = () => sized(new Uint8Array(MAX_STRUCTURE_BYTES + 1));
  expect(act).toThrow(expect.objectContaining({ code: 'tpm-structure-too-long' }));
});

/** A public area that is whole, to be damaged: an SRK on P-256. */
const SRK = Buffer.from(
  '0056' +
    '0023000b00030472000000060080004300100003001000' +
    '20a6b3f2d2a8b8c7c5f3b7f8b1d1b7e5f3f1f2f3f4f5f6f7f8f9fafbfcfdfeff00' +
    '0020a6b3f2d2a8b8c7c5f3b7f8b1d1b7e5f3f1f2f3f4f5f6f7f8f9fafbfcfdfeff00',
  'hex',
);

test.each([
  ['parsePublic', parsePublic],
  ['parseStoragePublic', parseStoragePublic],
  ['parseNvPublic', parseNvPublic],
])('%s: whatever it is given, it gives a result or a refusal of its own', (_, parse) => {
  const inputs: Uint8Array[] = [];
  for (let i = 0; i < 500; i++) inputs.push(randomBytes(randomInt(0, 200)));
  for (let i = 0; i < 500; i++) {
    const damaged = Buffer.from(SRK.subarray(0, randomInt(1, SRK.length + 1)));
    damaged[randomInt(damaged.length)] = randomInt(256);
    inputs.push(damaged);
  }
  let refused = 0;
  for (const input of inputs) {
    try {
      parse(input);
    } catch (error) {
      if (!isDomainError(error)) throw error;
      expect(['tpm-structure-malformed', 'tpm-parent-not-allowed']).toContain(error.code);
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(400);
});
