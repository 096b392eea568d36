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
 * and kept in files of mode 0600. Safe to repeat. Error: `operator-not-made` (unavailable).
 */
export function ensureOperators(secretsFolder: string, cmsDatabaseUrl: string): Promise<Operator[]> {
  return Promise.all(ROLES.map((role) => ensureOperator(secretsFolder, cmsDatabaseUrl, role)));
}

async function ensureOperator(secretsFolder: string, cmsDatabaseUrl: string, role: Role): Promise<Operator> {
  const passwordFile = join(secretsFolder, `operator-${role}.password`);
  const tokenFile = join(secretsFolder, `operator-${role}.token`);
  const password = keptSecret(passwordFile);
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
  return { name: role, role, password, token: readPrivateFile(tokenFile) ?? '' };
}
