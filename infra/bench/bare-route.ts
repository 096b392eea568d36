import { createServer } from 'node:http';
import pg from 'pg';

/**
 * The floor: the least that a Node server with a durable record can do. One indexed read and two inserts in one
 * transaction, on the same PostgreSQL with the same settings. No sign-in, no checks, no vault. Started by the benchmark
 * with the database's URL; prints its port.
 */
const pool = new pg.Pool({ connectionString: process.env.BENCH_DATABASE_URL, max: 10 });

const server = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8').on('data', (chunk: string) => {
    body += chunk;
  });
  request.on('end', () => {
    answer(JSON.parse(body) as { id: string; challenge: string }).then(
      (text) => {
        const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
        response.writeHead(201, headers).end(text);
      },
      (error: Error) => response.writeHead(500).end(error.message),
    );
  });
});

async function answer({ id, challenge }: { id: string; challenge: string }): Promise<string> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const found = await client.query({
      name: 'find',
      text: 'SELECT id, state FROM bench.sessions WHERE id = $1',
      values: [id],
    });
    const insert = 'INSERT INTO bench.answers (session_id, challenge) VALUES ($1, $2)';
    await client.query({ name: 'answer', text: insert, values: [id, challenge] });
    const event = "INSERT INTO bench.events (object_id, action, actor) VALUES ($1, 'answered', 'somebody')";
    await client.query({ name: 'event', text: event, values: [id] });
    await client.query('COMMIT');
    return JSON.stringify(found.rows[0]);
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
}

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object' && address !== null) process.stdout.write(`${address.port}\n`);
});
