import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { databaseName, roleNames, startSystem } from '@cardwright/infra';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EmptyDatabase, emptyDatabase } from '../support/database.ts';
import { runFolder } from '../support/run-folder.ts';

/** DATABASE_URL: a PostgreSQL of the user's, whose owner may or may not make roles. */
describe('on a PostgreSQL of the user’s', () => {
  let database: EmptyDatabase;
  let dataDir: string;
  const start = () => startSystem({ dataDir, databaseUrl: database.ownerUrl });
  const sqlFile = () => join(dataDir, 'secrets', 'database-roles.sql');

  beforeAll(async () => {
    database = await emptyDatabase();
    dataDir = mkdtempSync(join(runFolder(), 'own-database-'));
  });
  afterAll(async () => {
    await database.drop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('an owner who may not make roles is told the exact SQL, and no password is in the message', async () => {
    const refusal = await start().then(
      () => null,
      (error: Error & { code: string; detail: string }) => error,
    );
    expect(refusal).toMatchObject({ code: 'database-role-missing', kind: 'forbidden' });
    const names = Object.values(roleNames(databaseName(database.ownerUrl)));
    for (const name of names) expect(refusal?.detail).toContain(name);
    expect(refusal?.detail).toContain(`psql -d ${databaseName(database.ownerUrl)} -f ${sqlFile()}`);
    const sql = readFileSync(sqlFile(), 'utf8');
    for (const name of names) expect(sql).toContain(`CREATE ROLE "${name}" LOGIN`);
    expect(statSync(sqlFile()).mode & 0o777).toBe(0o600);
    for (const zone of ['cms', 'vault', 'ca']) {
      const password = readFileSync(join(dataDir, 'secrets', `database-${zone}`), 'utf8').trim();
      expect(`${refusal?.detail}${sql}`).not.toContain(password);
    }
  });

  it('starts once an administrator has run it, and starts nothing of PostgreSQL itself', async () => {
    await database.asAdministrator(readFileSync(sqlFile(), 'utf8'));
    const system = await start();
    try {
      expect(system.postgres).toBeNull();
      expect((await fetch(`${system.url}/health/ready`)).status).toBe(200);
    } finally {
      await system.stop();
    }
  });

  it('another installation gets back in by setting the passwords of the roles, when it may', async () => {
    rmSync(join(dataDir, 'secrets'), { recursive: true });
    await expect(start()).rejects.toMatchObject({ code: 'database-role-missing' });
    expect(readFileSync(sqlFile(), 'utf8')).toContain('ALTER ROLE');
  });
});
