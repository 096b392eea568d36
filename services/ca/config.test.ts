import { describe, expect, it } from 'vitest';
import { readConfig } from './config.ts';

const ENV = {
  CA_SOCKET: '/run/ca.sock',
  CA_HTTP_PORT: '8082',
  CA_DATABASE_URL: 'postgresql://ca@localhost/cardwright',
  CA_KEYS_DIR: '/keys',
  CA_SECRET_FILE: '/secret',
  CA_PUBLIC_URL: 'https://cards.example/',
};

describe('configuration', () => {
  it('is read, listening on the loopback address unless told otherwise', () => {
    expect(readConfig(ENV)).toMatchObject({
      httpHost: '127.0.0.1',
      httpPort: 8082,
      publicUrl: 'https://cards.example',
    });
    expect(readConfig({ ...ENV, CA_HTTP_HOST: '0.0.0.0' }).httpHost).toBe('0.0.0.0');
  });

  it('makes the root of the same type as the issuing CA unless told otherwise', () => {
    expect(readConfig(ENV)).toMatchObject({ keyTypes: { root: 'P-256', issuing: 'P-256' }, token: null });
    expect(readConfig({ ...ENV, CA_KEY_TYPE: 'P-384' }).keyTypes).toEqual({ root: 'P-384', issuing: 'P-384' });
    const mixed = { ...ENV, CA_ROOT_KEY_TYPE: 'RSA-4096' };
    expect(readConfig(mixed).keyTypes).toEqual({ root: 'RSA-4096', issuing: 'P-256' });
  });

  it('takes a token when all of it is said', () => {
    const token = { CA_PKCS11_MODULE: '/m.so', CA_PKCS11_TOKEN_LABEL: 'ca', CA_PKCS11_PIN_FILE: '/pin' };
    expect(readConfig({ ...ENV, ...token }).token).toEqual({ module: '/m.so', label: 'ca', pinFile: '/pin' });
  });

  it.each(Object.keys(ENV))('without %s is refused by name', (name) => {
    const refusal = expect.objectContaining({ code: 'configuration-invalid', detail: `${name} must be set` });
    expect(() => readConfig({ ...ENV, [name]: '' })).toThrow(refusal);
  });

  it.each([
    ['CA_HTTP_PORT', '65536'],
    ['CA_HTTP_PORT', '-1'],
    ['CA_PUBLIC_URL', 'ldap://cards.example'],
    ['CA_PUBLIC_URL', 'https://kärten.example'],
    ['CA_KEY_TYPE', 'RSA-2048'],
    ['CA_ROOT_KEY_TYPE', 'P-521'],
    ['CA_PKCS11_PIN_FILE', '/pin'],
    ['CA_PUBLIC_URL', `https://${'a'.repeat(250)}`],
  ])('with %s=%s is refused', (name, value) => {
    const refusal = expect.objectContaining({ code: 'configuration-invalid', detail: expect.stringContaining(name) });
    expect(() => readConfig({ ...ENV, [name]: value })).toThrow(refusal);
  });
});
