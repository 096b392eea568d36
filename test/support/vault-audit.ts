import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { runFolder } from './run-folder.ts';
import type { TestSystem } from './system.ts';

const MAIN = fileURLToPath(new URL('../../services/vault/dist/main.js', import.meta.url));

export interface VaultAudit {
  /** 0 whole and agreeing, 1 not so, 3 could not be found out. */
  readonly status: number;
  /** Findings and differences, then the summary. */
  // biome-ignore lint/suspicious/noExplicitAny: as `vault audit --json` prints them
  readonly lines: readonly any[];
}

/** `vault audit` over a running system: the vault's record against the audit log of cms, or an export of it. */
export async function vaultAudit(system: TestSystem, exportFile?: string): Promise<VaultAudit> {
  const urlFile = join(runFolder(), `url-${randomBytes(4).toString('hex')}`);
  writeFileSync(urlFile, system.database.ownerUrl, { mode: 0o600 });
  const log = exportFile === undefined ? ['--cms-database-url-file', urlFile] : ['--cms-events', exportFile];
  try {
    return await new Promise((resolve, reject) => {
      const env = { VAULT_DATABASE_URL_FILE: urlFile, VAULT_KEYS_FILE: join(system.data.vault, 'keys.json') };
      execFile(process.execPath, [MAIN, 'audit', '--json', ...log], { env, maxBuffer: 1 << 26 }, (error, stdout) => {
        const status = error === null ? 0 : error.code;
        if (typeof status !== 'number') reject(error);
        else
          resolve({
            status,
            lines: stdout
              .trim()
              .split('\n')
              .map((line) => JSON.parse(line)),
          });
      });
    });
  } finally {
    rmSync(urlFile, { force: true });
  }
}

/** After whatever was killed: no use that cms does not know of, no outcome that was none, and a chain without a gap. */
export async function bothRecordsAgree(system: TestSystem): Promise<void> {
  const { status, lines } = await vaultAudit(system);
  expect(lines.filter(({ kind }) => kind !== 'summary')).toEqual([]);
  expect(status).toBe(0);
}
