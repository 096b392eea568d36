import { readFileSync } from 'node:fs';
import { isDomainError } from '@cardwright/protocol';
import { migrate } from './migrate.ts';
import { ensureOwnDatabase } from './owner.ts';
import { ensureRoles, roleNames, ZONE_NAMES, type Zone } from './roles.ts';

const DATABASE = 'cardwright';
const SECRETS = '/run/secrets';

/** The one-shot container before all others: makes the database, its owner and roles, and applies the migrations. */
async function prepare(host: string): Promise<void> {
  const secret = (name: string) => readFileSync(`${SECRETS}/${name}`, 'utf8').trim();
  const superuserUrl = `postgresql://postgres:${encodeURIComponent(secret('database-superuser'))}@${host}/postgres`;
  const ownerUrl = await ensureOwnDatabase({
    superuserUrl,
    database: DATABASE,
    ownerPassword: secret('database-owner'),
  });
  const roles = roleNames(DATABASE);
  const passwords = Object.fromEntries(ZONE_NAMES.map((zone) => [zone, secret(`database-${zone}`)])) as Record<
    Zone,
    string
  >;
  // The owner was made with CREATEROLE just above, so that no SQL has to be handed to anybody.
  await ensureRoles({ ownerUrl, roles, passwords, writeSql: () => '(not written in a container)' });
  const applied = await migrate({ ownerUrl, roles });
  process.stdout.write(`${applied.length === 0 ? 'The database was up to date.' : `Applied ${applied.join(', ')}.`}\n`);
}

try {
  const host = process.env.DATABASE_HOST;
  if (host === undefined || host === '') throw new Error('DATABASE_HOST is not set (host:port)');
  await prepare(host);
} catch (error) {
  process.stderr.write(`${isDomainError(error) ? error.detail : (error as Error).stack}\n`);
  process.exitCode = 1;
}
