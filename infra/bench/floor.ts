import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import pg from 'pg';

export interface Floor {
  readonly port: number;
  /** Ids of rows that the route finds. */
  readonly ids: readonly string[];
  stop(): Promise<void>;
}

const ROWS = 20_000;

/** Makes the floor's tables in a schema of their own, and starts its server. */
export async function startFloor(ownerUrl: string): Promise<Floor> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  await client.query(`CREATE SCHEMA bench
    CREATE TABLE sessions (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), state text NOT NULL)
    CREATE TABLE answers (id bigserial PRIMARY KEY, session_id uuid NOT NULL, challenge text NOT NULL)
    CREATE TABLE events (id bigserial PRIMARY KEY, time timestamptz NOT NULL DEFAULT now(), object_id uuid NOT NULL,
                         action text NOT NULL, actor text NOT NULL)`);
  const { rows } = await client.query<{ id: string }>(
    `INSERT INTO bench.sessions (state) SELECT 'open' FROM generate_series(1, ${ROWS}) RETURNING id`,
  );
  await client.query('ANALYZE bench.sessions');
  await client.end();
  const entry = fileURLToPath(new URL('./bare-route.js', import.meta.url));
  const child = spawn(process.execPath, [entry], {
    env: { PATH: process.env.PATH ?? '', NODE_ENV: 'production', BENCH_DATABASE_URL: ownerUrl },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout.once('data', (line: Buffer) => resolve(Number(line.toString())));
    child.once('close', (code) => reject(new Error(`the bare route ended with code ${code}`)));
  });
  return {
    port,
    ids: rows.map(({ id }) => id),
    stop: async () => {
      child.kill();
      await ended;
    },
  };
}
