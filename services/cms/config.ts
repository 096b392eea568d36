import type { LockoutRules } from './lockout/ports.ts';

/** What the environment decides. Read once, whole, at start: what is missing or wrong is said before anything runs. */
export interface DatabaseConfig {
  readonly databaseUrl: string;
  readonly logLevel: string;
}

export interface Config extends DatabaseConfig {
  readonly port: number;
  readonly host: string;
  readonly publicUrl: string;
  readonly vaultSocket: string;
  readonly caSocket: string;
  readonly caUrl: string;
  readonly webRoot: string;
  readonly cookieSecure: boolean;
  readonly requestsPerMinute: number;
  readonly trustedProxies: readonly string[];
  /** Folder of roots of TPM makers, or null: then no TPM is proven. */
  readonly tpmRootsDirectory: string | null;
  /** Endorsement key certificates whose time is over. */
  readonly expiredTpmCertificates: 'refuse' | 'accept';
  /** How the lockout of devices' TPMs is set where it is put under protection; null: it is left alone. */
  readonly lockoutRules: LockoutRules | null;
  /** Which CAs there are beside the embedded one (services/cms/connectors/README.md); null: none. */
  readonly connectorsFile: string | null;
  /** URLs, beside the public one, under which devices reach this server. */
  readonly deviceUrls: readonly string[];
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * All that the api and the worker need.
 * @throws Error that names every variable that is missing or wrong, and never shows a value.
 */
export function readConfig(env: Environment): Config {
  return read(env, (value) => ({
    publicUrl: value.url('CMS_PUBLIC_URL', ['http:', 'https:']),
    ...databaseOf(value),
    port: value.number('CMS_PORT', 8080, 65_535),
    host: value.text('CMS_HOST', '127.0.0.1'),
    vaultSocket: value.text('CMS_VAULT_SOCKET'),
    caSocket: value.text('CMS_CA_SOCKET'),
    caUrl: value.url('CMS_CA_URL', ['http:']),
    webRoot: value.text('CMS_WEB_ROOT'),
    cookieSecure: value.flag('CMS_COOKIE_SECURE', true),
    requestsPerMinute: value.number('CMS_REQUESTS_PER_MINUTE', 600_000, 1_000_000_000),
    trustedProxies: value.list('CMS_TRUSTED_PROXIES'),
    tpmRootsDirectory: value.optional('CMS_TPM_ROOTS_DIR'),
    expiredTpmCertificates: value.flag('CMS_TPM_ACCEPT_EXPIRED', false) ? 'accept' : 'refuse',
    lockoutRules: value.numbers(
      'CMS_TPM_LOCKOUT',
      ['maxTries', 'forgivenAfterSeconds', 'passwordPauseSeconds'],
      10_000_000,
    ),
    connectorsFile: value.optional('CMS_CONNECTORS_FILE'),
    deviceUrls: value.list('CMS_DEVICE_URLS'),
  }));
}

/**
 * What a command needs that only works on records.
 * @throws Error as {@link readConfig}.
 */
export function readDatabaseConfig(env: Environment): DatabaseConfig {
  return read(env, databaseOf);
}

const databaseOf = (value: Values): DatabaseConfig => ({
  databaseUrl: value.url('CMS_DATABASE_URL', ['postgres:', 'postgresql:']),
  logLevel: value.text('CMS_LOG_LEVEL', 'info'),
});

/** Reads single variables; what is missing or wrong is noted, and told of all together. */
interface Values {
  text(name: string, fallback?: string): string;
  number(name: string, fallback: number, most: number): number;
  url(name: string, schemes: readonly string[]): string;
  flag(name: string, fallback: boolean): boolean;
  list(name: string): string[];
  optional(name: string): string | null;
  /** Whole numbers from 1, with commas between; null if it is not set. */
  numbers<const N extends string>(name: string, fields: readonly N[], most: number): Record<N, number> | null;
}

function read<Read>(env: Environment, pick: (value: Values) => Read): Read {
  const wrong: string[] = [];

  function text(name: string, fallback?: string): string {
    const value = env[name] ?? fallback;
    if (value === undefined || value === '') wrong.push(`${name} is not set`);
    return value ?? '';
  }

  const values: Values = {
    text,
    number(name, fallback, most) {
      const value = env[name] === undefined ? fallback : Number(env[name]);
      if (!Number.isInteger(value) || value < 0 || value > most)
        wrong.push(`${name} must be a whole number up to ${most}`);
      return value;
    },
    url(name, schemes) {
      const value = text(name);
      if (value !== '' && !(URL.canParse(value) && schemes.includes(new URL(value).protocol))) {
        wrong.push(`${name} must be a URL that begins with ${schemes.join(' or ')}`);
      }
      return value;
    },
    flag(name, fallback) {
      const value = env[name] ?? String(fallback);
      if (value !== 'true' && value !== 'false') wrong.push(`${name} must be true or false`);
      return value === 'true';
    },
    optional: (name) => (env[name] === undefined || env[name] === '' ? null : env[name]),
    numbers(name, fields, most) {
      if (env[name] === undefined || env[name] === '') return null;
      const given = (env[name] ?? '').split(',').map(Number);
      const right =
        given.length === fields.length && given.every((one) => Number.isInteger(one) && one > 0 && one <= most);
      if (!right) wrong.push(`${name} must be ${fields.length} whole numbers up to ${most}: ${fields.join(',')}`);
      return Object.fromEntries(fields.map((field, at) => [field, given[at] ?? 0])) as Record<
        (typeof fields)[number],
        number
      >;
    },
    list: (name) => (env[name] ?? '').split(',').flatMap((one) => one.trim() || []),
  };
  const config = pick(values);
  if (wrong.length > 0) throw new Error(`The configuration is not right: ${wrong.join('; ')}.`);
  return config;
}
