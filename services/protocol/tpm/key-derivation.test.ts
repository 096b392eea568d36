import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { kdfa, kdfe } from './key-derivation.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function openssl(...options: string[]): string {
  const args = options.slice(0, -1).flatMap((option) => ['-kdfopt', option]);
  const out = execFileSync(
    'openssl',
    ['kdf', ...args, options.at(-1) ?? ''].flatMap((arg) => arg.split(' ')),
  );
  return out.toString('utf8').replaceAll(/[:\s]/g, '').toLowerCase();
}

/** OpenSSL's KBKDF is SP 800-108 with label, 00, context and length: KDFa where the context is contextU || contextV. */
test.each([128, 256, 512])('KDFa agrees with OpenSSL over %i bits', (bits) => {
  const key = randomBytes(32);
  const u = randomBytes(16);
  const v = randomBytes(16);
  const label = Buffer.from('STORAGE').toString('hex');
  const peer = openssl(
    'digest:SHA2-256',
    'mac:HMAC',
    `hexkey:${hex(key)}`,
    `hexsalt:${label}`,
    `hexinfo:${hex(u)}${hex(v)}`,
    `-keylen ${bits / 8} KBKDF`,
  );
  expect(hex(kdfa(key, 'STORAGE', u, v, bits))).toBe(peer);
});

/** OpenSSL's SSKDF is SP 800-56C's one-step KDF: KDFe where its info is label || 00 || partyU || partyV. */
test.each([128, 256, 512])('KDFe agrees with OpenSSL over %i bits', (bits) => {
  const z = randomBytes(32);
  const u = randomBytes(32);
  const v = randomBytes(32);
  const info = `${Buffer.from('DUPLICATE\0').toString('hex')}${hex(u)}${hex(v)}`;
  const peer = openssl('digest:SHA2-256', `hexkey:${hex(z)}`, `hexinfo:${info}`, `-keylen ${bits / 8} SSKDF`);
  expect(hex(kdfe(z, 'DUPLICATE', u, v, bits))).toBe(peer);
});

test.each([0, 7, 12, 4104, Number.NaN])('%d bits are refused', (bits) => {
  const none = new Uint8Array();
  expect(() => kdfa(none, 'X', none, none, bits)).toThrow(expect.objectContaining({ code: 'kdf-bits-invalid' }));
});
