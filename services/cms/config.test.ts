import { describe, expect, it } from 'vitest';
import { readConfig, readDatabaseConfig } from './config.ts';

const whole = {
  CMS_DATABASE_URL: 'postgresql://cms:pw-of-cms@127.0.0.1/cardwright',
  CMS_PUBLIC_URL: 'https://cards.example.com',
  CMS_VAULT_SOCKET: '/run/vault.sock',
  CMS_CA_SOCKET: '/run/ca.sock',
  CMS_CA_URL: 'http://127.0.0.1:8090',
  CMS_WEB_ROOT: '/srv/web',
};

describe('the configuration', () => {
  it('has safe answers for what is not said', () => {
    expect(readConfig(whole)).toMatchObject({
      host: '127.0.0.1',
      port: 8080,
      cookieSecure: true,
      trustedProxies: [],
      logLevel: 'info',
    });
  });

  it('leaves the lockout of devices alone unless all three of its numbers are said', () => {
    expect(readConfig(whole).lockoutRules).toBeNull();
    expect(readConfig({ ...whole, CMS_TPM_LOCKOUT: '10,600,86400' }).lockoutRules).toEqual({
      maxTries: 10,
      forgivenAfterSeconds: 600,
      passwordPauseSeconds: 86_400,
    });
    for (const wrong of ['10', '10,600,0', '10,600,x', '10,600,86400,1']) {
      expect(() => readConfig({ ...whole, CMS_TPM_LOCKOUT: wrong })).toThrow(/CMS_TPM_LOCKOUT must be 3 whole numbers/);
    }
  });

  it('names all that is missing at once', () => {
    expect(() => readConfig({})).toThrow(
      /CMS_PUBLIC_URL is not set; CMS_DATABASE_URL is not set; .*CMS_WEB_ROOT is not set/,
    );
  });

  it('of a command that works on records only is the database', () => {
    const { CMS_DATABASE_URL } = whole;
    expect(readDatabaseConfig({ CMS_DATABASE_URL })).toEqual({ databaseUrl: CMS_DATABASE_URL, logLevel: 'info' });
    expect(() => readDatabaseConfig({})).toThrow('The configuration is not right: CMS_DATABASE_URL is not set.');
  });

  it.each([
    [{ CMS_PORT: 'http' }, 'CMS_PORT must be a whole number'],
    [{ CMS_COOKIE_SECURE: 'yes' }, 'CMS_COOKIE_SECURE must be true or false'],
    [{ CMS_PUBLIC_URL: 'ftp://x' }, 'CMS_PUBLIC_URL must be a URL'],
    [{ CMS_DATABASE_URL: 'mysql://root:pw-of-root@x' }, 'CMS_DATABASE_URL must be a URL'],
  ])('refuses %j and shows no value', (change, message) => {
    expect(() => readConfig({ ...whole, ...change })).toThrow(message);
    expect(() => readConfig({ ...whole, ...change })).not.toThrow(/pw-of/);
  });
});
