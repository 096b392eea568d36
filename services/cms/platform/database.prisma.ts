import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { PrismaClient } from './generated/client.ts';

export interface Database {
  /** Ordinary records. */
  readonly prisma: PrismaClient;
  /** Hot paths, with named statements: lists, audit, credentials, answers (a lookup costs a sixth of Prisma's). */
  readonly pool: pg.Pool;
  ready(): Promise<void>;
  close(): Promise<void>;
}

/** Connects when first used. One pool serves both ways in, so that the number of connections is bounded in one place. */
export function createDatabase(options: { readonly url: string; readonly onError: (error: Error) => void }): Database {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: 10,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 60_000,
    statement_timeout: 15_000,
    idle_in_transaction_session_timeout: 15_000,
    application_name: 'cardwright-cms',
  });
  // A connection that breaks while idle (PostgreSQL restarted) must not end the process: the pool makes a new one.
  pool.on('error', options.onError);
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool), errorFormat: 'minimal' });
  return {
    prisma,
    pool,
    async ready() {
      await pool.query('SELECT 1');
    },
    async close() {
      await prisma.$disconnect();
      await pool.end();
    },
  };
}
