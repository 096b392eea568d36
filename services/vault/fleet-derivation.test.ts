import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { aesCmac, tdesCmac } from './cmac.ts';
import { fleetKey } from './fleet-derivation.ts';
import { KEY_BYTES } from './key-text.ts';
import { vectors } from './vectors.ts';

const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));
const show = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('AES-CMAC', () => {
  for (const { source, key, message, mac } of vectors.cmac) {
    it(`is that of ${source}`, () => expect(show(aesCmac(hex(key), hex(message)))).toBe(mac));
  }

  it.each([16, 24, 32])('with a random key of %i bytes is what openssl mac makes of it', (bytes) => {
    for (const length of [0, 1, 15, 16, 17, 32, 100]) {
      const [key, message] = [randomBytes(bytes), randomBytes(length)];
      const args = ['mac', '-binary', '-cipher', `AES-${bytes * 8}-CBC`, '-macopt', `hexkey:${show(key)}`, 'CMAC'];
      expect(show(aesCmac(key, message))).toBe(show(execFileSync('openssl', args, { input: message })));
    }
  });
});

it('TDES-CMAC with random keys is what openssl mac makes of it', () => {
  for (const length of [0, 1, 7, 8, 9, 16, 100]) {
    const [key, message] = [randomBytes(24), randomBytes(length)];
    const args = ['mac', '-binary', '-cipher', 'DES-EDE3-CBC', '-macopt', `hexkey:${show(key)}`, 'CMAC'];
    expect(show(tdesCmac(key, message))).toBe(show(execFileSync('openssl', args, { input: message })));
  }
});

describe('the key of a card of another fleet', () => {
  it('follows from its three-key TDES master as AN10922 publishes it, but for the version that is in the parity bits', () => {
    const master = hex('00112233445566778899aabbccddeeff0102030405060708');
    const derived = fleetKey(master, 'an10922', 'tdes', hex('04782e21801d803042f54e5850'));
    const withoutParity = (bytes: Uint8Array) => show(bytes.map((byte) => byte & 0xfe));
    expect(withoutParity(derived)).toBe(withoutParity(hex('2e0dd03774d3fa9b5705ab0bda91ca0b55b8e07fcdbf10ec')));
  });

  for (const { source, algorithm, master, diversifier, key } of vectors.an10922) {
    it(`follows from its master as in ${source}`, () => {
      expect(show(fleetKey(hex(master), 'an10922', algorithm, hex(diversifier)))).toBe(key);
    });
  }

  it('by AN10922 is padded to two blocks, however short the diversifier is (section 2.2)', () => {
    const [master, diversifier] = [randomBytes(16), randomBytes(4)];
    const padded = Buffer.concat([Buffer.from([1]), diversifier, Buffer.from([0x80]), Buffer.alloc(26)]);
    expect(fleetKey(master, 'an10922', 'aes-128', diversifier)).toEqual(aesCmac(master, padded, true));
    expect(fleetKey(master, 'an10922', 'aes-128', diversifier)).not.toEqual(
      aesCmac(master, Buffer.concat([Buffer.from([1]), diversifier])),
    );
  });

  it.each(['tdes', 'aes-128', 'aes-192', 'aes-256'] as const)(
    "by Dogtag's form is HMAC-SHA-256(master, 01 || 04 || 00 || CUID || 0180), for %s",
    (algorithm) => {
      const [master, cuid] = [randomBytes(32), randomBytes(10)];
      const input = Buffer.concat([Buffer.from([1, 4, 0]), cuid, Buffer.from([1, 0x80])]);
      const args = ['mac', '-binary', '-digest', 'SHA256', '-macopt', `hexkey:${show(master)}`, 'HMAC'];
      const expected = execFileSync('openssl', args, { input }).subarray(0, KEY_BYTES[algorithm]);
      expect(show(fleetKey(master, 'dogtag', algorithm, cuid))).toBe(show(expected));
    },
  );

  it('is refused for what the form does not cover', () => {
    const refused = (code: string) => expect.objectContaining({ kind: 'unprocessable', code });
    const derive = (algorithm: 'tdes' | 'aes-128', master: number, diversifier: number) => () =>
      fleetKey(randomBytes(master), 'an10922', algorithm, randomBytes(diversifier));
    expect(derive('tdes', 16, 7)).toThrow(refused('derivation-algorithm'));
    expect(derive('tdes', 24, 0)).toThrow(refused('derivation-diversifier'));
    expect(derive('tdes', 24, 16)).toThrow(refused('derivation-diversifier'));
    expect(derive('tdes', 24, 15)).not.toThrow();
    expect(derive('aes-128', 32, 7)).toThrow(refused('derivation-algorithm'));
    expect(derive('aes-128', 16, 0)).toThrow(refused('derivation-diversifier'));
    expect(derive('aes-128', 16, 32)).toThrow(refused('derivation-diversifier'));
    expect(derive('aes-128', 16, 31)).not.toThrow();
  });
});
