import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureOwnDatabase, ensureRoles, migrate, roleNames, startPostgres, zoneUrl } from '@cardwright/infra';
import type { TestDatabase } from './database.ts';
import { runFolder } from './run-folder.ts';

/** A PostgreSQL of the test's own, for one that is shared by others can't be killed; with a migrated database. */
export interface OwnCluster {
  readonly database: Omit<TestDatabase, 'name'>;
  kill(): Promise<void>;
  /** After a kill: on the same port. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export async function ownCluster(): Promise<OwnCluster> {
  const folder = await mkdtemp(join(runFolder(), 'postgres-'));
  await chmod(folder, 0o711);
  const options = {
    directory: join(folder, 'data'),
    superuserPassword: 'of the test',
    logFile: join(folder, 'log'),
  };
  let cluster = await startPostgres(options);
  const superuserUrl = cluster.superuserUrl('postgres');
  const ownerUrl = await ensureOwnDatabase({ superuserUrl, database: 'killed', ownerPassword: 'owner' });
  const roles = roleNames('killed');
  const passwords = { cms: 'cms', vault: 'vault', ca: 'ca' };
  const writeSql = () => {
    throw new Error('the owner of the test database may make roles');
  };
  await ensureRoles({ ownerUrl, roles, passwords, writeSql });
  await migrate({ ownerUrl, roles });
  const urls = {
    cms: zoneUrl(ownerUrl, roles.cms, passwords.cms),
    vault: zoneUrl(ownerUrl, roles.vault, passwords.vault),
    ca: zoneUrl(ownerUrl, roles.ca, passwords.ca),
  };
  return {
    database: { ownerUrl, urls, drop: async () => undefined },
    kill: () => cluster.kill(),
    async start() {
      cluster = await startPostgres({ ...options, port: cluster.port });
    },
    async stop() {
      await cluster.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
