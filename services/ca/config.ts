import { DomainError } from '@cardwright/protocol';

export interface CaConfig {
  /** Unix socket of the link. */
  readonly socket: string;
  readonly httpHost: string;
  readonly httpPort: number;
  readonly databaseUrl: string;
  readonly keysDirectory: string;
  readonly secretFile: string;
  /** http(s) URL, without a slash at its end, under which the world reaches /pki. Goes into certificates for good. */
  readonly publicUrl: string;
  /** Over how many CRLs the issuing CA's certificates are spread; null: as it is, and 1 in a new installation. */
  readonly crlShards: number | null;
}

/**
 * CA_SOCKET, CA_HTTP_PORT (0: any free one), CA_HTTP_HOST (127.0.0.1), CA_DATABASE_URL, CA_KEYS_DIR, CA_SECRET_FILE,
 * CA_PUBLIC_URL, CA_CRL_SHARDS.
 * @throws DomainError `configuration-invalid` (invalid)
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): CaConfig {
  const required = (name: string): string => {
    const value = env[name];
    if (value === undefined || value === '') throw wrong(`${name} must be set`);
    return value;
  };
  const portText = required('CA_HTTP_PORT');
  const httpPort = Number(portText);
  if (!/^\d{1,5}$/.test(portText) || httpPort > 65_535) throw wrong('CA_HTTP_PORT must be 0 to 65535');
  const publicUrl = required('CA_PUBLIC_URL').replace(/\/+$/, '');
  // ASCII, for it becomes an IA5String; short, for every certificate carries it three times.
  if (!/^https?:\/\/[\x21-\x7e]{1,200}$/.test(publicUrl) || !URL.canParse(publicUrl)) {
    throw wrong('CA_PUBLIC_URL must be an http or https URL in ASCII');
  }
  const shards = env.CA_CRL_SHARDS || null;
  if (shards !== null && (!/^[1-9]\d{0,2}$/.test(shards) || Number(shards) > 256)) {
    throw wrong('CA_CRL_SHARDS must be 1 to 256');
  }
  return {
    socket: required('CA_SOCKET'),
    httpHost: env.CA_HTTP_HOST || '127.0.0.1',
    httpPort,
    databaseUrl: required('CA_DATABASE_URL'),
    keysDirectory: required('CA_KEYS_DIR'),
    secretFile: required('CA_SECRET_FILE'),
    publicUrl,
    crlShards: shards === null ? null : Number(shards),
  };
}

const wrong = (detail: string) => new DomainError('invalid', 'configuration-invalid', detail);
