import { parseArgs } from 'node:util';
import { DomainError } from '@cardwright/protocol';

export interface LauncherArguments {
  readonly reset: boolean;
  readonly yes: boolean;
  readonly help: boolean;
  readonly dataDir: string;
  readonly port: number;
  readonly databaseUrl: string | undefined;
  /** Settings of the vault, passed on to it and to no other process; it judges them. */
  readonly vault: Readonly<Record<string, string>>;
}

/** SOFTHSM2_CONF is the own setting of a token library that knows no other way to be told where its tokens are. */
const VAULT_SETTINGS = [
  'VAULT_PROVIDER',
  'VAULT_PKCS11_MODULE',
  'VAULT_PKCS11_TOKEN_LABEL',
  'VAULT_PKCS11_PIN_FILE',
  'VAULT_RECOVERY_FILE',
  'VAULT_UNIFORM_KEYS',
  'VAULT_LIMIT_PER_CARD',
  'VAULT_LIMIT_PER_REQUESTER',
  'VAULT_LIMIT_IN_ALL',
  'SOFTHSM2_CONF',
];

export const HELP = `npm start [-- options]

  --reset    begin anew: deletes everything in the data directory (asks first on a terminal)
  --yes      with --reset: do not ask
  --help     this text

Settings, from the environment:
  CARDWRIGHT_DATA   the data directory (default: .data in this folder)
  CARDWRIGHT_PORT   the port of the console and the API on 127.0.0.1 (default: 8080)
  DATABASE_URL      a PostgreSQL of yours, as postgresql://owner:password@host:5432/database
                    (default: one is started in the data directory)
  VAULT_PROVIDER, VAULT_PKCS11_MODULE, _TOKEN_LABEL, _PIN_FILE, VAULT_RECOVERY_FILE, VAULT_UNIFORM_KEYS, VAULT_LIMIT_…
                    go to the vault as they are: services/vault/README.md
`;

/** Error: `argument-invalid` (invalid), which says what is right. */
export function parseArguments(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  defaultDataDir: string,
): LauncherArguments {
  const options = { reset: { type: 'boolean' }, yes: { type: 'boolean' }, help: { type: 'boolean' } } as const;
  let values: { reset?: boolean; yes?: boolean; help?: boolean };
  try {
    values = parseArgs({ args: [...argv], options, strict: true }).values;
  } catch (cause) {
    throw new DomainError('invalid', 'argument-invalid', `${(cause as Error).message}\n\n${HELP}`, { cause });
  }
  return {
    reset: values.reset ?? false,
    yes: values.yes ?? false,
    help: values.help ?? false,
    dataDir: environment.CARDWRIGHT_DATA || defaultDataDir,
    port: parsePort(environment.CARDWRIGHT_PORT),
    databaseUrl: parseDatabaseUrl(environment.DATABASE_URL),
    vault: Object.fromEntries(
      VAULT_SETTINGS.flatMap((name) => {
        const value = environment[name];
        return value === undefined || value === '' ? [] : [[name, value]];
      }),
    ),
  };
}

function parsePort(text: string | undefined): number {
  if (text === undefined || text === '') return 8080;
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port >= 1 && port <= 65535) return port;
  throw new DomainError(
    'invalid',
    'argument-invalid',
    `CARDWRIGHT_PORT is ${text}; it must be a number from 1 to 65535.`,
  );
}

/** The text itself is never repeated: it holds a password. */
function parseDatabaseUrl(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  const form = 'postgresql://owner:password@host:5432/database';
  const url = URL.canParse(text) ? new URL(text) : null;
  const right = url !== null && /^postgres(ql)?:$/.test(url.protocol) && url.username !== '' && url.pathname.length > 1;
  if (right) return text;
  throw new DomainError('invalid', 'argument-invalid', `DATABASE_URL must have the form ${form}.`);
}
