/** What the environment decides. Read once, whole, at start: what is missing or wrong is said before anything runs. */
export interface Config {
  readonly databaseUrl: string;
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
  readonly logLevel: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** @throws Error that names every variable that is missing or wrong, and never shows a value. */
export function readConfig(env: Environment): Config {
  const wrong: string[] = [];

  function text(name: string, fallback?: string): string {
    const value = env[name] ?? fallback;
    if (value === undefined || value === '') wrong.push(`${name} is not set`);
    return value ?? '';
  }

  function number(name: string, fallback: number, most: number): number {
    const value = env[name] === undefined ? fallback : Number(env[name]);
    if (!Number.isInteger(value) || value < 0 || value > most)
      wrong.push(`${name} must be a whole number up to ${most}`);
    return value;
  }

  function url(name: string, schemes: readonly string[]): string {
    const value = text(name);
    if (value !== '' && !(URL.canParse(value) && schemes.includes(new URL(value).protocol))) {
      wrong.push(`${name} must be a URL that begins with ${schemes.join(' or ')}`);
    }
    return value;
  }

  function flag(name: string, fallback: boolean): boolean {
    const value = env[name] ?? String(fallback);
    if (value !== 'true' && value !== 'false') wrong.push(`${name} must be true or false`);
    return value === 'true';
  }

  const publicUrl = url('CMS_PUBLIC_URL', ['http:', 'https:']);
  const config: Config = {
    databaseUrl: url('CMS_DATABASE_URL', ['postgres:', 'postgresql:']),
    port: number('CMS_PORT', 8080, 65_535),
    host: text('CMS_HOST', '127.0.0.1'),
    publicUrl,
    vaultSocket: text('CMS_VAULT_SOCKET'),
    caSocket: text('CMS_CA_SOCKET'),
    caUrl: url('CMS_CA_URL', ['http:']),
    webRoot: text('CMS_WEB_ROOT'),
    cookieSecure: flag('CMS_COOKIE_SECURE', true),
    requestsPerMinute: number('CMS_REQUESTS_PER_MINUTE', 600_000, 1_000_000_000),
    trustedProxies: (env.CMS_TRUSTED_PROXIES ?? '').split(',').flatMap((one) => one.trim() || []),
    logLevel: text('CMS_LOG_LEVEL', 'info'),
  };
  if (wrong.length > 0) throw new Error(`the configuration is not right: ${wrong.join('; ')}`);
  return config;
}
