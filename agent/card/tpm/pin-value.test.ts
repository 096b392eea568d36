import { createHash } from 'node:crypto';
import { Secret } from '@cardwright/protocol';
import { expect, test } from 'vitest';
import { withPinValue } from './pin-value.ts';

const authValueOf = (pin: string) => withPinValue(Secret.fromText(pin), async (value) => Buffer.from(value));

test.each(['1', '123456', 'größer', 'x'.repeat(32)])('%s: its UTF-8 bytes', async (pin) => {
  expect(await authValueOf(pin)).toEqual(Buffer.from(pin, 'utf8'));
});

test.each(['x'.repeat(33), 'ü'.repeat(17), 'y'.repeat(127)])('%s: their SHA-256', async (pin) => {
  expect(await authValueOf(pin)).toEqual(createHash('sha256').update(pin, 'utf8').digest());
});

test.each(['', '\0', '\0\0'])('%j is no PIN', async (pin) => {
  await expect(authValueOf(pin)).rejects.toMatchObject({ kind: 'invalid', code: 'pin-empty' });
});

test('the value is wiped when the work is done, and when it fails', async () => {
  const kept: Uint8Array[] = [];
  await withPinValue(Secret.fromText('123456'), async (value) => kept.push(value));
  const failing = withPinValue(Secret.fromText('123456'), async (value) => {
    kept.push(value);
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  expect(kept).toEqual([new Uint8Array(6), new Uint8Array(6)]);
});
