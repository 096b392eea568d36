import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Role, type System, type SystemOptions, startSystem } from '@cardwright/infra';
import pg from 'pg';
import { type Rest, rest } from './rest.ts';
import { runFolder } from './run-folder.ts';

export interface TestSystem extends System {
  /** The API as the operator of that role sees it, with that operator's token. */
  as(role: Role): Rest;
  /** Looks into the database as its owner: for what the API rightly does not show. */
  // biome-ignore lint/suspicious/noExplicitAny: rows are of whatever shape the test asks for
  query(sql: string, values?: readonly unknown[]): Promise<any[]>;
  /** Stops it and deletes its data. */
  remove(): Promise<void>;
}

/** The whole product as processes of its own, from dist/, in a folder of the test's own. Some five seconds. */
export async function startTestSystem(options: Partial<SystemOptions> = {}): Promise<TestSystem> {
  const dataDir = options.dataDir ?? join(runFolder(), `system-${randomBytes(4).toString('hex')}`);
  const system = await startSystem({ durable: false, ...options, dataDir });
  return {
    ...system,
    as: (role) => rest(system.url, system.tokens[role]),
    query: async (sql, values = []) => {
      const client = new pg.Client({ connectionString: system.database.ownerUrl });
      await client.connect();
      try {
        return (await client.query(sql, [...values])).rows;
      } finally {
        await client.end();
      }
    },
    remove: async () => {
      await system.stop();
      rmSync(dataDir, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
