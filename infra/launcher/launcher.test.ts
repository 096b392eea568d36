import { checkPin, type PinPolicy } from '@cardwright/protocol/pin';
import { describe, expect, it } from 'vitest';
import { parseArguments } from './arguments.ts';
import { makePin } from './pin.ts';

const parse = (argv: string[], environment: Record<string, string> = {}) =>
  parseArguments(argv, environment, '/here/.data');

describe('the arguments of npm start', () => {
  it('have defaults', () => {
    expect(parse([])).toEqual({
      reset: false,
      yes: false,
      help: false,
      dataDir: '/here/.data',
      port: 8080,
      databaseUrl: undefined,
      vault: {},
    });
  });

  it('go on to the vault where they are its own, and not otherwise', () => {
    const settings = { VAULT_PROVIDER: 'pkcs11', VAULT_PKCS11_MODULE: '/lib/token.so', SOFTHSM2_CONF: '/etc/tokens' };
    const others = { VAULT_PKCS11_PIN_FILE: '', VAULT_DATABASE_URL: 'x', VAULT_FAULT_AT: '1', CMS_PORT: '1' };
    expect(parse([], { ...settings, ...others }).vault).toEqual(settings);
  });

  it('are taken from the command line and the environment', () => {
    const environment = { CARDWRIGHT_DATA: '/data', CARDWRIGHT_PORT: '9000', DATABASE_URL: 'postgres://o:p@h/d' };
    expect(parse(['--reset', '--yes'], environment)).toMatchObject({
      reset: true,
      yes: true,
      dataDir: '/data',
      port: 9000,
      databaseUrl: 'postgres://o:p@h/d',
    });
  });

  it.each([
    [['--rest'], {}],
    [['extra'], {}],
    [[], { CARDWRIGHT_PORT: '0' }],
    [[], { CARDWRIGHT_PORT: '65536' }],
    [[], { CARDWRIGHT_PORT: '80a' }],
    [[], { DATABASE_URL: 'mysql://o:secretword@h/d' }],
    [[], { DATABASE_URL: 'postgres://h/d:secretword' }],
    [[], { DATABASE_URL: 'secretword' }],
  ] as [string[], Record<string, string>][])(
    '%j with %j is refused, and no secret is repeated',
    (argv, environment) => {
      expect(() => parse(argv, environment)).toThrow(
        expect.objectContaining({ code: 'argument-invalid', detail: expect.not.stringContaining('secretword') }),
      );
    },
  );
});

it('the PIN made for the first card always passes the strictest rules for digits', () => {
  const policy: PinPolicy = {
    minLength: 8,
    maxLength: 8,
    uppercase: 'disallowed',
    lowercase: 'disallowed',
    digits: 'required',
    special: 'disallowed',
    refuseSequences: true,
    refuseRepeats: true,
    refuseCommon: true,
  };
  const pins = Array.from({ length: 500 }, makePin);
  for (const pin of pins) expect(checkPin(pin, policy)).toEqual({ ok: true });
  expect(new Set(pins).size).toBeGreaterThan(490);
});
