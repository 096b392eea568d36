import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DomainError } from '@cardwright/protocol';
import { keptSecret, readPrivateFile } from '../processes/private-file.ts';
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
export function ensureOperators(secretsFolder: string, cmsDatabaseUrl: string, url: string): Promise<Operator[]> {
  return Promise.all(
    ROLES.map(async (role) => {
      const kept = readOperator(secretsFolder, role);
      const known = kept !== null && (await canSignIn(url, kept));
      return known ? kept : ensureOperator(secretsFolder, cmsDatabaseUrl, role);
    }),
  );
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

async function ensureOperator(secretsFolder: string, cmsDatabaseUrl: string, role: Role): Promise<Operator> {
  const { passwordFile, tokenFile } = filesOf(secretsFolder, role);
  keptSecret(passwordFile);
  const files = ['--password-file', passwordFile, '--token-file', tokenFile];
  try {
    await promisify(execFile)(
      process.execPath,
      [inRepository('services', 'cms', 'dist', 'operators.js'), 'create', '--name', role, '--role', role, ...files],
      { env: { ...baseEnvironment(), CMS_DATABASE_URL: cmsDatabaseUrl }, cwd: repositoryRoot, timeout: 60_000 },
    );
  } catch (cause) {
    const said = String((cause as { stderr?: string }).stderr ?? cause).trim();
    throw new DomainError('unavailable', 'operator-not-made', `The operator ${role} could not be made: ${said}`, {
      cause,
    });
  }
  const made = readOperator(secretsFolder, role);
  if (made === null) throw new DomainError('internal', 'operator-not-made', `The operator ${role} has no token file.`);
  return made;
}
