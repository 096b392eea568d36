/** A container's health check. `healthy.mjs link SOCKET | http URL | database`; ends with 0 when it is well. */
import { readFileSync } from 'node:fs';
import { connectLink } from '@cardwright/link';
import pg from 'pg';

const CHECKS = {
  async link(socketPath) {
    const link = connectLink({ socketPath, service: 'health', timeoutMs: 3000 });
    await link.call('health', {});
    await link.close();
  },
  async http(url) {
    const response = await fetch(url, { signal: AbortSignal.timeout(3000) });
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  },
  /** For a process without a port: that it runs is the engine's to see; that it can work is this. */
  async database() {
    const { DATABASE_HOST, DATABASE_ZONE, DATABASE_PASSWORD_FILE } = process.env;
    const [host, port] = DATABASE_HOST.split(':');
    const password = readFileSync(DATABASE_PASSWORD_FILE, 'utf8').trim();
    const user = `cardwright_${DATABASE_ZONE}`;
    const client = new pg.Client({ host, port: Number(port), user, password, database: 'cardwright' });
    await client.connect();
    await client.query('SELECT 1');
    await client.end();
  },
};

const [kind, target] = process.argv.slice(2);
await CHECKS[kind](target);
process.exit(0);
