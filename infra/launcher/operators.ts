import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DomainError } from '@cardwright/protocol';
import { keptSecret, readPrivateFile, writePrivateFile } from '../processes/private-file.ts';
import { inRepository, repositoryRoot } from '../repository/root.ts';
import { baseEnvironment } from './services.ts';

export const ROLES = ['helpdesk', 'security-officer', 'auditor', 'integration'] as const;
export type Role = (typeof ROLES)[number];

export interface Operator {
  readonly name: string;
  readonly role: Role;
  readonly password: string;
  readonly token: string;
}

/**
 * One operator a role, named after it, each with a password for the console and a token for scripts, made at random once
 * and kept in files of mode 0600. Who can sign in already is left alone. Error: `operator-not-made` (unavailable).
 */
export async function ensureOperators(secretsFolder: string, cmsDatabaseUrl: string, url: string): Promise<Operator[]> {
  const known = await Promise.all(
    ROLES.map(async (role) => {
      const kept = readOperator(secretsFolder, role);
      return kept !== null && (await canSignIn(url, kept)) ? kept : null;
    }),
  );
  const missing = ROLES.filter((_, at) => known[at] === null);
  if (missing.length > 0) await makeOperators(secretsFolder, cmsDatabaseUrl, missing);
  return ROLES.map((role, at) => {
    const operator = known[at] ?? readOperator(secretsFolder, role);
    if (operator !== null) return operator;
    throw new DomainError('internal', 'operator-not-made', `The operator ${role} has no token file.`);
  });
}

function filesOf(secretsFolder: string, role: Role): { passwordFile: string; tokenFile: string } {
  const file = (kind: string) => join(secretsFolder, `operator-${role}.${kind}`);
  return { passwordFile: file('password'), tokenFile: file('token') };
}

function readOperator(secretsFolder: string, role: Role): Operator | null {
  const { passwordFile, tokenFile } = filesOf(secretsFolder, role);
  const [password, token] = [readPrivateFile(passwordFile), readPrivateFile(tokenFile)];
  return password === null || token === null ? null : { name: role, role, password, token };
}

async function canSignIn(url: string, operator: Operator): Promise<boolean> {
  const headers = { authorization: `Bearer ${operator.token}` };
  const response = await fetch(`${url}/api/v1/session`, { headers, signal: AbortSignal.timeout(10_000) });
  if (!response.ok) return false;
  const session = (await response.json()) as { operator?: { name?: string; role?: string } };
  return session.operator?.name === operator.name && session.operator.role === operator.role;
}

async function makeOperators(secretsFolder: string, cmsDatabaseUrl: string, roles: readonly Role[]): Promise<void> {
  const list = roles.map((role) => ({ name: role, role, ...filesOf(secretsFolder, role) }));
  for (const { passwordFile } of list) keptSecret(passwordFile);
  const listFile = join(secretsFolder, 'operators.json');
  writePrivateFile(listFile, JSON.stringify(list));
  try {
    await promisify(execFile)(
      process.execPath,
      [inRepository('services', 'cms', 'dist', 'operators.js'), 'create', '--list', listFile],
      { env: { ...baseEnvironment(), CMS_DATABASE_URL: cmsDatabaseUrl }, cwd: repositoryRoot, timeout: 60_000 },
    );
  } catch (cause) {
    const said = String((cause as { stderr?: string }).stderr ?? cause).trim();
    const detail = `The operators ${roles.join(', ')} could not be made: ${said}`;
    throw new DomainError('unavailable', 'operator-not-made', detail, { cause });
  }
}
