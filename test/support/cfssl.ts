import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OpensslCa } from '@cardwright/cms/testing';
import { freePort, until } from '@cardwright/infra';
import pg from 'pg';
import { type EmptyDatabase, emptyDatabase } from './database.ts';

export interface Cfssl {
  readonly url: string;
  /** Holds the key of authsign, in hexadecimal. */
  readonly keyFile: string;
  /** What CFSSL's own database says. `serial` in lower-case hex, as in our records. */
  certificates(): Promise<{ serial: string; status: string; reason: number }[]>;
  kill(): Promise<void>;
  /** On the same port. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** CFSSL's PostgreSQL schema (certdb/pg/migrations), without which it can't revoke. */
const SCHEMA = `
  CREATE TABLE certificates (serial_number bytea NOT NULL, authority_key_identifier bytea NOT NULL, ca_label bytea,
    status bytea NOT NULL, reason int, expiry timestamptz, revoked_at timestamptz, pem bytea NOT NULL,
    PRIMARY KEY (serial_number, authority_key_identifier));
  CREATE TABLE ocsp_responses (serial_number bytea NOT NULL, authority_key_identifier bytea NOT NULL, body bytea NOT NULL,
    expiry timestamptz, PRIMARY KEY (serial_number, authority_key_identifier));`;

const HOURS = { 'tls-client': '240h', 'smime-signature': '240h', 'too-long': '2400h' };

/** Debian's `cfssl serve` with that CA's key, its certificates in a PostgreSQL database of its own. */
export async function startCfssl(ca: OpensslCa): Promise<Cfssl> {
  const database = await emptyDatabase();
  await query(database, SCHEMA);
  const key = randomBytes(32).toString('hex');
  const profile = (expiry: string, usages: readonly string[]) => ({ expiry, usages, auth_key: 'ra' });
  const profiles = {
    'tls-client': profile(HOURS['tls-client'], ['digital signature', 'client auth']),
    'smime-signature': profile(HOURS['smime-signature'], [
      'digital signature',
      'content commitment',
      'email protection',
    ]),
    'too-long': profile(HOURS['too-long'], ['digital signature', 'client auth']),
  };
  const signing = { default: { expiry: '1h', usages: ['digital signature'] }, profiles };
  const file = (name: string, content: string, mode = 0o600) => {
    const path = join(ca.folder, name);
    writeFileSync(path, content, { mode });
    return path;
  };
  const keyFile = file('cfssl.key', `${key}\n`);
  const config = file('cfssl.json', JSON.stringify({ signing, auth_keys: { ra: { type: 'standard', key } } }));
  const source = `${database.ownerUrl}?sslmode=disable`;
  const certificates = file('certdb.json', JSON.stringify({ driver: 'postgres', data_source: source }));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  let child: ChildProcess | undefined;

  async function start(): Promise<void> {
    const args = ['-address', '127.0.0.1', '-port', String(port), '-ca', ca.certificateFile, '-ca-key', ca.keyFile];
    child = spawn('cfssl', ['serve', ...args, '-config', config, '-db-config', certificates], { stdio: 'ignore' });
    await until({ what: 'cfssl to serve', seconds: 20 }, async () => {
      const answer = await fetch(new URL('api/v1/cfssl/info', url), { method: 'POST', body: '{"label":""}' }).catch(
        () => null,
      );
      return answer?.ok === true;
    });
  }

  async function kill(): Promise<void> {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null) return;
    const ended = new Promise((resolve) => running.once('close', resolve));
    running.kill('SIGKILL');
    await ended;
  }

  await start();
  return {
    ...{ url, keyFile, start, kill },
    async certificates() {
      const text = `SELECT convert_from(serial_number, 'utf8') AS serial, convert_from(status, 'utf8') AS status, reason FROM certificates`;
      const rows = await query(database, text);
      return rows.map((row) => ({ ...row, serial: hexOf(row.serial ?? '0') })) as Awaited<
        ReturnType<Cfssl['certificates']>
      >;
    },
    async stop() {
      await kill();
      await database.drop();
    },
  };
}

function hexOf(decimal: string): string {
  const hex = BigInt(decimal).toString(16);
  return hex.length % 2 === 0 ? hex : `0${hex}`;
}

async function query(database: EmptyDatabase, text: string): Promise<Record<string, string>[]> {
  const client = new pg.Client({ connectionString: database.ownerUrl });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}
