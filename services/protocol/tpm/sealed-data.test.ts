import { createDecipheriv, createECDH, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { administratorKeyPublic } from './administrator-key.ts';
import { hmacSha256, sha256 } from './hashing.ts';
import { kdfa, kdfe } from './key-derivation.ts';
import { parseSealedDataPublic, wrapSealedData } from './sealed-data.ts';
import type { StorageParent } from './storage-parent.ts';
import { Reader, sized } from './wire.ts';

const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes));
const holder = createECDH('prime256v1');
const point = new Uint8Array(holder.generateKeys());
const parent: StorageParent = { kind: 'ecc', x: point.slice(1, 33), y: point.slice(33), name: Uint8Array.of(0, 11) };

/** The TPM's side, written from Part 1 section 23.3.2.3; that a TPM unseals it is tested in test/integration/vault. */
test('the holder of the parent opens the data, and its public area is that of a data object and hides it', () => {
  const [data, seedValue] = [random(24), random(32)];
  const wrapped = wrapSealedData({ data, seedValue, parent, random });
  const secret = new Reader(new Reader(wrapped.inSymSeed).sized(100, 'inSymSeed'));
  const [x, y] = [secret.sized(32, 'x'), secret.sized(32, 'y')];
  const z = new Uint8Array(holder.computeSecret(Uint8Array.from([4, ...x, ...y])));
  const seed = kdfe(z, 'DUPLICATE', x, parent.kind === 'ecc' ? parent.x : x, 256);
  const duplicate = new Reader(new Reader(wrapped.duplicate).sized(500, 'duplicate'));
  const integrity = duplicate.sized(32, 'integrity');
  const enciphered = duplicate.rest();
  const none = new Uint8Array();
  expect(integrity).toEqual(hmacSha256(kdfa(seed, 'INTEGRITY', none, none, 256), enciphered, wrapped.name));
  const key = kdfa(seed, 'STORAGE', wrapped.name, none, 128);
  const decipher = createDecipheriv('aes-128-cfb', key, new Uint8Array(16));
  const clear = new Reader(Buffer.concat([decipher.update(enciphered), decipher.final()]));
  const sensitive = new Reader(clear.sized(500, 'sensitive'));
  expect(sensitive.u16('type')).toBe(8);
  expect(sensitive.sized(32, 'authValue')).toHaveLength(0);
  expect(sensitive.sized(32, 'seedValue')).toEqual(seedValue);
  expect(sensitive.sized(128, 'data')).toEqual(data);

  const area = wrapped.public.slice(2);
  // KEYEDHASH, SHA-256, userWithAuth|noDA, empty policy, scheme NULL, and the digest.
  expect(Buffer.from(area.slice(0, 14)).toString('hex')).toBe('0008000b00000440000000100020');
  expect(area.slice(14)).toEqual(sha256(seedValue, data));
  expect(parseSealedDataPublic(wrapped.public)).toEqual(wrapped.name);
});

test('no other object is taken for sealed data', () => {
  const { public: right } = wrapSealedData({ data: random(24), seedValue: random(32), parent, random });
  const refused = expect.objectContaining({ kind: 'unprocessable', code: 'sealed-data-not-allowed' });
  const changed = (at: number, to: number) => {
    const area: Uint8Array = Uint8Array.from(right);
    area[at] = to;
    return area;
  };
  // sign, decrypt, fixedTPM, no noDA, nameAlg SHA-384
  const wrong: Uint8Array[] = [
    changed(7, 0x04),
    changed(7, 0x02),
    changed(9, 0x42),
    changed(8, 0x00),
    changed(5, 0x0c),
  ];
  wrong.push(sized(administratorKeyPublic({ seedValue: random(32), key: random(32) }).publicArea));
  for (const area of wrong) expect(() => parseSealedDataPublic(area)).toThrow(refused);
  const cut = expect.objectContaining({ code: 'tpm-structure-malformed' });
  expect(() => parseSealedDataPublic(right.slice(0, -1))).toThrow(cut);
});

test.each([0, 129])('%i bytes are not sealed', (length) => {
  const act = () => wrapSealedData({ data: random(length), seedValue: random(32), parent, random });
  expect(act).toThrow(expect.objectContaining({ code: 'sealed-data-length' }));
});
