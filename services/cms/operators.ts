import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { isDomainError, Secret } from '@cardwright/protocol';
import { isRole, ROLES } from './access/roles.ts';
import { createSetOperator } from './access/set-operator.ts';
import { readDatabaseConfig } from './config.ts';
import { hashToken } from './platform/authentication.http.ts';
import { wireDatabase } from './wire.ts';

const USAGE = `usage: operators.js create --name NAME --role ${ROLES.join('|')} [--display-name TEXT]
         [--password-file FILE] [--token-file FILE]
Creates the operator, or changes the one of that name. Secrets come from files, never from the command line; a token
file that does not exist is made (mode 0600), with a new token.`;

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

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      name: { type: 'string' },
      role: { type: 'string' },
      'display-name': { type: 'string' },
      'password-file': { type: 'string' },
      'token-file': { type: 'string' },
    },
  });
  const { name, role } = values;
  if (positionals.join(' ') !== 'create' || name === undefined || role === undefined || !isRole(role)) {
    console.error(USAGE);
    return 2;
  }
  const passwordFile = values['password-file'];
  const tokenFile = values['token-file'];
  const password =
    passwordFile === undefined ? undefined : Secret.fromText(withoutLineEnd(await readFile(passwordFile, 'utf8')));
  const tokenHash = tokenFile === undefined ? undefined : hashToken(await tokenOf(tokenFile));
  const parts = wireDatabase(readDatabaseConfig({ CMS_LOG_LEVEL: 'silent', ...process.env }));
  try {
    const setOperator = createSetOperator(parts);
    const operator = await setOperator(
      { name, role, displayName: values['display-name'], password, tokenHash },
      parts.runtime.newId(),
    );
    console.log(`${operator.name} (${operator.role}) ${operator.id}`);
    return 0;
  } finally {
    password?.wipe();
    await parts.close();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(isDomainError(error) ? error.message : error instanceof Error ? error.message : 'failed');
  process.exitCode = 1;
}
