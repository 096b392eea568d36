import { DomainError } from '@cardwright/protocol';
import { type AuthorityKeyType, isKeyType, KEY_TYPES } from './authorities/key-types.ts';
import type { TokenPlace } from './authorities/token.ts';

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
  /** Of authorities that are yet to be made; those that are there keep theirs. */
  readonly keyTypes: Readonly<Record<'root' | 'issuing', AuthorityKeyType>>;
  /** Where the issuing key is made, or was; null: in a file. */
  readonly token: TokenPlace | null;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * CA_SOCKET, CA_HTTP_PORT (0: any free one), CA_HTTP_HOST (127.0.0.1), CA_DATABASE_URL, CA_KEYS_DIR, CA_SECRET_FILE,
 * CA_PUBLIC_URL, CA_CRL_SHARDS; CA_KEY_TYPE (P-256), CA_ROOT_KEY_TYPE (as CA_KEY_TYPE), CA_PKCS11_MODULE,
 * CA_PKCS11_TOKEN_LABEL, CA_PKCS11_PIN_FILE.
 * @throws DomainError `configuration-invalid` (invalid)
 */
export function readConfig(env: Environment): CaConfig {
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
    keyTypes: readKeyTypes(env),
    token: readToken(env),
  };
}

function readKeyTypes(env: Environment): CaConfig['keyTypes'] {
  const read = (name: string, otherwise: AuthorityKeyType): AuthorityKeyType => {
    const text = env[name] || otherwise;
    if (!isKeyType(text)) throw wrong(`${name} must be one of: ${KEY_TYPES.join(', ')}`);
    return text;
  };
  const issuing = read('CA_KEY_TYPE', 'P-256');
  return { issuing, root: read('CA_ROOT_KEY_TYPE', issuing) };
}

function readToken(env: Environment): TokenPlace | null {
  const names = ['CA_PKCS11_MODULE', 'CA_PKCS11_TOKEN_LABEL', 'CA_PKCS11_PIN_FILE'] as const;
  const [module, label, pinFile] = names.map((name) => env[name] || null);
  if (!module && !label && !pinFile) return null;
  if (!module || !label || !pinFile) throw wrong(`${names.join(', ')} must be set together`);
  return { module, label, pinFile };
}

const wrong = (detail: string) => new DomainError('invalid', 'configuration-invalid', detail);
