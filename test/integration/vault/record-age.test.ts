import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { expect, it } from 'vitest';
import { emptyDatabase, testDatabase } from '../../support/database.ts';
import { caller, runVault, startVault, vaultFiles } from './vault-process.ts';

const MIGRATIONS = fileURLToPath(new URL('../../../services/vault/migrations', import.meta.url));

async function onDatabase<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

it('a record from before there was a chain is numbered, hashed as it stands, and signed by the next vault', async () => {
  const database = await emptyDatabase();
  const files = vaultFiles();
  try {
    await onDatabase(database.ownerUrl, async (client) => {
      for (const name of readdirSync(MIGRATIONS).sort()) {
        if (name.startsWith('0003')) {
          await client.query(`INSERT INTO vault.uses (at, operation, card_id, key_version, requested_by, request_id, challenge_sha256, outcome)
            SELECT timestamptz '2025-01-01' + n * interval '1.234567 seconds', 'answer', gen_random_uuid(),
              CASE WHEN n % 3 > 0 THEN n END, 'Ädä 🔑 ' || n, 'r' || n, CASE WHEN n % 2 = 0 THEN sha256(n::text::bytea) END, 'done'
            FROM generate_series(1, 300) n`);
          // Numbers that were given and lost with a transaction.
          await client.query("SELECT setval('vault.uses_id_seq', 1000)");
          await client.query(`INSERT INTO vault.uses (operation, card_id, requested_by, request_id, outcome)
            VALUES ('key.describe', gen_random_uuid(), 'x', 'y', 'done')`);
        }
        await client.query(readFileSync(join(MIGRATIONS, name, 'migration.sql'), 'utf8'));
      }
    });
    const vault = await startVault(files, database.ownerUrl);
    await vault.client.describeKeys({ ...caller, cardId: randomUUID() });
    await vault.stop();
    const { status, output } = await runVault(files, database.ownerUrl, { args: ['audit', '--json'] });
    expect(JSON.parse(output)).toMatchObject({ kind: 'summary', entries: '302', findings: 0, withCheckpoint: true });
    expect(status).toBe(0);
  } finally {
    files.remove();
    await database.drop();
  }
});

it('a record of 120,000 entries is verified and compared without holding it', { timeout: 120_000 }, async () => {
  const database = await testDatabase();
  const files = vaultFiles();
  try {
    const vault = await startVault(files, database.urls.vault);
    await Promise.all(
      Array.from({ length: 64 }, async () => {
        for (let n = 0; n < 30; n++) await vault.client.describeKeys({ ...caller, cardId: randomUUID() });
      }),
    );
    await vault.kill();
    // The rest of the record, and a log of cms with an event for each: their form is what counts here, not their hashes.
    await onDatabase(database.ownerUrl, async (client) => {
      await client.query(`INSERT INTO vault.uses (id, at, operation, card_id, key_version, requested_by, request_id, outcome, hash)
        SELECT n, now(), 'answer', '0199f2a0-3333-7000-8000-000000000003', 1, 'op', 'r' || n, 'done', sha256(n::text::bytea)
        FROM generate_series(1921, 120000) n`);
      await client.query(`INSERT INTO audit_events (actor_kind, actor_id, actor_name, action, object_kind, card_id, outcome, request_id)
        SELECT 'operator', 'op', 'op', 'unblock.answer-requested', 'unblock-session', '0199f2a0-3333-7000-8000-000000000003',
          'done', 'r' || n FROM generate_series(1922, 120000) n`);
    });
    const urlFile = join(files.directory, 'url');
    writeFileSync(urlFile, database.ownerUrl, { mode: 0o600 });
    const { status, output } = await runVault(files, database.urls.vault, {
      args: ['audit', '--cms-database-url-file', urlFile],
      nodeArgs: ['--max-old-space-size=40'],
    });
    expect(status).toBe(1);
    expect(output).toContain('only in the vault: entry 1921,');
    expect(output).toMatch(/120000 entries; \d+ places .* 1 differences/);
  } finally {
    files.remove();
    await database.drop();
  }
});
