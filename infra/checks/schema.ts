import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startPostgres } from '../database/cluster.ts';
import { migrate } from '../database/migrate.ts';
import { inRepository } from '../repository/root.ts';
import { fromComplaints, type Outcome } from './outcome.ts';
import { runNode } from './program.ts';

/**
 * Whether prisma/schema.prisma says what prisma/migrations make, and whether Prisma's own tool takes our record of the
 * migrations for its own. On a PostgreSQL of the check's own.
 */
export async function checkSchema(): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'cardwright-schema-'));
  chmodSync(folder, 0o711);
  const cluster = await startPostgres({
    directory: join(folder, 'postgres'),
    superuserPassword: 'of a cluster that lives for seconds',
    logFile: join(folder, 'postgres.log'),
    durable: false,
  });
  try {
    const url = cluster.superuserUrl('drift');
    await createDatabase(cluster.superuserUrl('postgres'), 'drift');
    await migrate({ ownerUrl: url, roles: null });
    const again = await migrate({ ownerUrl: url, roles: null });
    const schema = inRepository('prisma', 'schema.prisma');
    const migrations = inRepository('prisma', 'migrations');
    const diff = await prisma(url, [
      ...['migrate', 'diff', '--exit-code', '--from-migrations', migrations, '--to-schema', schema],
    ]);
    const deploy = await prisma(url, ['migrate', 'deploy']);
    return fromComplaints({
      'a second run of the migrator applies nothing': again,
      // The words are asked for as well: an engine that dies early can look like "no difference".
      'the Prisma schema is what the migrations make': diff.includes('No difference detected') ? [] : [diff],
      'prisma migrate deploy finds nothing left to do': deploy.includes('No pending migrations') ? [] : [deploy],
    });
  } finally {
    await cluster.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function createDatabase(superuserUrl: string, name: string): Promise<void> {
  const client = new pg.Client({ connectionString: superuserUrl });
  await client.connect();
  await client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
  await client.end();
}

async function prisma(url: string, args: readonly string[]): Promise<string> {
  const config = inRepository('infra', 'prisma', 'prisma.config.ts');
  const env = { DATABASE_URL: url, CHECKPOINT_DISABLE: '1', PRISMA_HIDE_UPDATE_MESSAGE: '1', NO_COLOR: '1' };
  const program = inRepository('node_modules', 'prisma', 'build', 'index.js');
  const { stdout, stderr } = await runNode(program, [...args, '--config', config], { env });
  return stdout + stderr;
}
