import { createPublicKey, randomBytes } from 'node:crypto';
import { CompactEncrypt, compactDecrypt } from 'jose';
import { expect, it } from 'vitest';
import { Secret } from '../secret.ts';
import { makeHandOverCode, parseHandOverCode, showHandOverCode } from './hand-over-code.ts';
import { handOverKey } from './hand-over-key.ts';
import { openSealedPin, sealPin } from './sealed-pin.ts';

const PIN = 'Gr\u00fc\u00dfe-8294';
const CARD = '0199f2a0-3333-7000-8000-000000000003';
const salt = new Uint8Array(16).fill(7);
const code = makeHandOverCode(randomBytes);
const pinOf = (secret: Secret) => secret.use((bytes) => Buffer.from(bytes).toString('utf8'));
const codeOf = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    return (error as { code?: string }).code;
  }
};

it('a hand-over code has 80 bits, is read leniently, and is no enrolment code', () => {
  expect(code).toHaveLength(16);
  const shown = showHandOverCode(code);
  expect(shown).toMatch(/^([0-9A-Z]{4}-){3}[0-9A-Z]{4}$/);
  expect(parseHandOverCode(` ${shown.toLowerCase().replaceAll('0', 'o').replaceAll('1', 'l')}\n`)).toBe(code);
  for (const wrong of ['', '7K3M-92QF-XD4T', `${shown}0`, shown.replace(/^./, 'U'), '0'.repeat(65)]) {
    expect(parseHandOverCode(wrong)).toBeUndefined();
  }
});

it('the same code and salt give the same key pair, any other another one', async () => {
  const { publicKey } = await handOverKey(code, salt);
  expect(publicKey).toHaveLength(32);
  expect(await handOverKey(code, salt)).toMatchObject({ publicKey });
  expect((await handOverKey(code, new Uint8Array(16))).publicKey).not.toEqual(publicKey);
  expect((await handOverKey(makeHandOverCode(randomBytes), salt)).publicKey).not.toEqual(publicKey);
});

it('jose opens what we seal, and we open what jose seals', async () => {
  const { privateKey, publicKey } = await handOverKey(code, salt);
  const sealed = sealPin(Secret.fromText(PIN), publicKey, CARD);
  const { plaintext, protectedHeader } = await compactDecrypt(sealed, privateKey);
  expect(Buffer.from(plaintext).toString('utf8')).toBe(PIN);
  expect(protectedHeader).toMatchObject({ alg: 'ECDH-ES', enc: 'A256GCM' });
  const theirs = await new CompactEncrypt(new TextEncoder().encode(PIN))
    .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM' })
    .setKeyManagementParameters({ apv: new TextEncoder().encode(CARD) })
    .encrypt(createPublicKey(privateKey));
  expect(pinOf(openSealedPin(theirs, privateKey, CARD))).toBe(PIN);
});

it('is opened by no other code, for no other card, and not when anything of it was altered', async () => {
  const { privateKey, publicKey } = await handOverKey(code, salt);
  const sealed = sealPin(Secret.fromText(PIN), publicKey, CARD);
  expect(sealed).not.toContain(Buffer.from(PIN).toString('base64url'));
  expect(pinOf(openSealedPin(sealed, privateKey, CARD))).toBe(PIN);
  const other = await handOverKey(makeHandOverCode(randomBytes), salt);
  const refused = 'hand-over-envelope-invalid';
  expect(codeOf(() => openSealedPin(sealed, other.privateKey, CARD))).toBe(refused);
  expect(codeOf(() => openSealedPin(sealed, privateKey, CARD.replace('3', '4')))).toBe(refused);
  const parts = sealed.split('.');
  for (const at of [0, 2, 3, 4]) {
    const altered = parts.map((part, i) => (i === at ? `${part.startsWith('A') ? 'B' : 'A'}${part.slice(1)}` : part));
    expect(codeOf(() => openSealedPin(altered.join('.'), privateKey, CARD))).toBe(refused);
  }
  // A shorter tag would be guessed sooner.
  const cut = [
    ...parts.slice(0, 4),
    Buffer.from(parts[4] ?? '', 'base64url')
      .subarray(0, 4)
      .toString('base64url'),
  ];
  expect(codeOf(() => openSealedPin(cut.join('.'), privateKey, CARD))).toBe(refused);
  expect(codeOf(() => openSealedPin('x'.repeat(5000), privateKey, CARD))).toBe(refused);
});
