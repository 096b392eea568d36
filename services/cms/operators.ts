import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { isDomainError, Secret } from '@cardwright/protocol';
import { isRole, ROLES } from './access/roles.ts';
import { createSetOperator } from './access/set-operator.ts';
import { readDatabaseConfig } from './config.ts';
import type { Role } from './kernel/actor.ts';
import { hashToken } from './platform/authentication.http.ts';
import { wireDatabase } from './wire.ts';

const USAGE = `usage: operators.js create --name NAME --role ${ROLES.join('|')} [--display-name TEXT]
         [--password-file FILE] [--token-file FILE]
       operators.js create --list FILE
Creates the operator, or changes the one of that name. Secrets come from files, never from the command line; a token
file that does not exist is made (mode 0600), with a new token.
A list is a JSON array of { "name", "role", "displayName", "passwordFile", "tokenFile" }, made in its order; the first
that is refused ends it.`;

/** One operator as the command line or a list has it. */
interface Wanted {
  readonly name: string;
  readonly role: Role;
  readonly displayName: string | undefined;
  readonly passwordFile: string | undefined;
  readonly tokenFile: string | undefined;
}
const LIST_BYTES_MAX = 1024 * 1024;

/** A line end after the secret is the editor's, not part of it. */
const withoutLineEnd = (text: string): string => text.replace(/\r?\n$/, '');

async function tokenOf(file: string): Promise<string> {
  try {
    const token = withoutLineEnd(await readFile(file, 'utf8'));
    if (!/^[A-Za-z0-9._~+/=-]{32,512}$/.test(token))
      throw new Error(`${file} holds no token: 32 to 512 characters, as in RFC 6750`);
    return token;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    const token = `cwt_${randomBytes(32).toString('base64url')}`;
    await writeFile(file, token, { mode: 0o600, flag: 'wx' });
    return token;
  }
}

/** Undefined: not to be understood. */
function wantedOf(value: unknown): Wanted | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { name, role, displayName, passwordFile, tokenFile, ...unknown } = value as Record<string, unknown>;
  const optional = (given: unknown) => given === undefined || typeof given === 'string';
  if (typeof name !== 'string' || typeof role !== 'string' || !isRole(role) || Object.keys(unknown).length > 0) {
    return undefined;
  }
  if (![displayName, passwordFile, tokenFile].every(optional)) return undefined;
  return { name, role, displayName, passwordFile, tokenFile } as Wanted;
}

async function readList(file: string): Promise<(Wanted | undefined)[]> {
  const text = await readFile(file, 'utf8');
  if (text.length > LIST_BYTES_MAX) throw new Error(`${file} is longer than a list of operators can be (1 MiB)`);
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    throw new Error(`${file} is not JSON`);
  }
  return Array.isArray(list) ? list.map(wantedOf) : [undefined];
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      name: { type: 'string' },
      role: { type: 'string' },
      'display-name': { type: 'string' },
      'password-file': { type: 'string' },
      'token-file': { type: 'string' },
      list: { type: 'string' },
    },
  });
  const { list, 'display-name': displayName, 'password-file': passwordFile, 'token-file': tokenFile, ...one } = values;
  const single = { ...one, displayName, passwordFile, tokenFile };
  const alone = Object.values(single).every((value) => value === undefined);
  const all = list === undefined ? [wantedOf(single)] : alone ? await readList(list) : [undefined];
  const wanted = all.filter((each) => each !== undefined);
  if (positionals.join(' ') !== 'create' || wanted.length < all.length || wanted.length === 0) {
    console.error(USAGE);
    return 2;
  }
  const parts = wireDatabase(readDatabaseConfig({ CMS_LOG_LEVEL: 'silent', ...process.env }));
  try {
    for (const each of wanted) await make(parts, each);
    return 0;
  } finally {
    await parts.close();
  }
}

async function make(parts: ReturnType<typeof wireDatabase>, wanted: Wanted): Promise<void> {
  const { name, role, displayName, passwordFile, tokenFile } = wanted;
  const password =
    passwordFile === undefined ? undefined : Secret.fromText(withoutLineEnd(await readFile(passwordFile, 'utf8')));
  try {
    const tokenHash = tokenFile === undefined ? undefined : hashToken(await tokenOf(tokenFile));
    const setOperator = createSetOperator(parts);
    const made = await setOperator({ name, role, displayName, password, tokenHash }, parts.runtime.newId());
    console.log(`${made.name} (${made.role}) ${made.id}`);
  } finally {
    password?.wipe();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(isDomainError(error) ? error.message : error instanceof Error ? error.message : 'failed');
  process.exitCode = 1;
}
