import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { OBJECT_ATTRIBUTE, TPM_ALG } from './constants.ts';
import { objectName } from './names.ts';
import { parseStoragePublic } from './storage-parent.ts';
import { sized, Writer } from './wire.ts';

const { fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, restricted, decrypt, sign } = OBJECT_ATTRIBUTE;
const ATTRIBUTES = fixedTPM | fixedParent | sensitiveDataOrigin | userWithAuth | restricted | decrypt;

const jwk = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).publicKey.export({ format: 'jwk' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });
const bytes = (text: string | undefined): Uint8Array => new Uint8Array(Buffer.from(text ?? '', 'base64url'));
const X = bytes(jwk.x);
const Y = bytes(jwk.y);
const N = bytes(rsa.n);

interface Variant {
  type?: number;
  nameAlg?: number;
  attributes?: number;
  symmetric?: readonly number[];
  scheme?: readonly number[];
  curve?: number;
  x?: Uint8Array;
  keyBits?: number;
  exponent?: number;
  modulus?: Uint8Array;
}

function publicArea(variant: Variant): Uint8Array {
  const type = variant.type ?? TPM_ALG.ECC;
  const writer = new Writer().u16(type).u16(variant.nameAlg ?? TPM_ALG.SHA256);
  writer.u32(variant.attributes ?? ATTRIBUTES).sized(new Uint8Array());
  for (const word of variant.symmetric ?? [TPM_ALG.AES, 128, TPM_ALG.CFB]) writer.u16(word);
  for (const word of variant.scheme ?? [TPM_ALG.NULL]) writer.u16(word);
  if (type === TPM_ALG.RSA) {
    return writer
      .u16(variant.keyBits ?? 2048)
      .u32(variant.exponent ?? 0)
      .sized(variant.modulus ?? N)
      .done();
  }
  return writer
    .u16(variant.curve ?? 3)
    .u16(TPM_ALG.NULL)
    .sized(variant.x ?? X)
    .sized(Y)
    .done();
}

test('takes a storage key on P-256', () => {
  const area = publicArea({});
  expect(parseStoragePublic(sized(area))).toEqual({ kind: 'ecc', x: X, y: Y, name: objectName(area) });
});

test('takes a storage key of RSA-2048, its exponent by default', () => {
  const area = publicArea({ type: TPM_ALG.RSA });
  const name = objectName(area);
  expect(parseStoragePublic(sized(area))).toEqual({ kind: 'rsa', modulus: N, exponent: 65_537, name });
});

const evenModulus = Uint8Array.from([...N.slice(0, -1), (N.at(-1) ?? 1) - 1]);
test.each<[string, Variant]>([
  ['that can sign', { attributes: ATTRIBUTES | sign }],
  ['that is not restricted', { attributes: ATTRIBUTES & ~restricted }],
  ['that does not decrypt', { attributes: ATTRIBUTES & ~decrypt }],
  ['that may leave its TPM', { attributes: ATTRIBUTES & ~fixedTPM }],
  ['that may leave its parent', { attributes: ATTRIBUTES & ~fixedParent }],
  ['that was made elsewhere', { attributes: ATTRIBUTES & ~sensitiveDataOrigin }],
  ['with a Name of another hash', { nameAlg: TPM_ALG.SHA384 }],
  ['with AES-256 inside', { symmetric: [TPM_ALG.AES, 256, TPM_ALG.CFB] }],
  ['that protects nothing', { symmetric: [TPM_ALG.NULL] }],
  ['with a scheme', { scheme: [TPM_ALG.ECDSA, TPM_ALG.SHA256] }],
  ['on P-384', { curve: 4 }],
  ['whose point is not on the curve', { x: new Uint8Array(32).fill(7) }],
  ['whose coordinate is too long', { x: new Uint8Array(48) }],
  ['of RSA with exponent 3', { type: TPM_ALG.RSA, exponent: 3 }],
  ['of RSA-1024', { type: TPM_ALG.RSA, keyBits: 1024, modulus: N.slice(0, 128) }],
  ['of RSA with an even modulus', { type: TPM_ALG.RSA, modulus: evenModulus }],
])('refuses a key %s', (_, variant) => {
  const act = () => parseStoragePublic(sized(publicArea(variant)));
  expect(act).toThrow(expect.objectContaining({ kind: 'unprocessable', code: 'tpm-parent-not-allowed' }));
});

test.each<[string, Uint8Array]>([
  ['nothing', new Uint8Array()],
  ['a byte too many', Uint8Array.from([...sized(publicArea({})), 0])],
  ['a byte too few', sized(publicArea({})).slice(0, -1)],
  ['an unknown type', sized(publicArea({ type: 0x0025 }))],
  ['a modulus that is not as long as it says', sized(publicArea({ type: TPM_ALG.RSA, keyBits: 3072 }))],
])('refuses %s as malformed', (_, input) => {
  const act = () => parseStoragePublic(input);
  expect(act).toThrow(expect.objectContaining({ kind: 'unprocessable', code: 'tpm-structure-malformed' }));
});
