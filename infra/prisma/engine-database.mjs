import pg from 'pg';

/** Runs `work(client, database)` on the server's database `postgres`; `database` is the one that the URL names. */
export async function onServer(url, work) {
  const address = new URL(url);
  const database = decodeURIComponent(address.pathname.slice(1));
  address.pathname = '/postgres';
  address.search = '';
  const client = new pg.Client({ connectionString: address.toString() });
  await client.connect();
  try {
    return await work(client, database);
  } finally {
    await client.end();
  }
}

export function createDatabase(url) {
  return onServer(url, async (client, database) => {
    await client.query(`CREATE DATABASE ${pg.escapeIdentifier(database)}`);
    return database;
  });
}

/** The engine's `cli` commands. Gives the exit code, and says failures as the native engine's log lines do. */
export async function runDatabaseCommand(command, datasource) {
  try {
    if (command === 'can-connect-to-database') await connectOnce(datasource.url);
    else if (command === 'create-database') await createDatabase(datasource.url);
    else if (command === 'drop-database') {
      await onServer(datasource.url, (client, name) => client.query(`DROP DATABASE ${pg.escapeIdentifier(name)}`));
    } else throw new Error(`unknown command ${command}`);
    return 0;
  } catch (error) {
    logError(error);
    return 1;
  }
}

async function connectOnce(url) {
  const address = new URL(url);
  address.search = ''; // Prisma's own parameters (schema=…) are unknown to pg
  const client = new pg.Client({ connectionString: address.toString() });
  await client.connect();
  await client.end();
}

/** P1003: no such database; P1001: no server there; P1011: anything else (prisma.io/docs, error reference). */
function logError(error) {
  const code = { '3D000': 'P1003', ECONNREFUSED: 'P1001' }[error.code] ?? 'P1011';
  const fields = { message: error.message, error_code: code, is_panic: false };
  const line = { timestamp: new Date().toISOString(), level: 'ERROR', fields, target: 'schema_engine::logger' };
  process.stderr.write(`${JSON.stringify(line)}\n`);
}
