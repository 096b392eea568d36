import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { baseEnvironment } from '../launcher/services.ts';
import { inRepository } from '../repository/root.ts';
import { startCaDatabase } from './ca-alone.ts';
import { openssl, opensslCa } from './ocsp-peers.ts';
import { watchMemory } from './peak-memory.ts';
import type { Row } from './table.ts';

const ROUNDS = 3;

interface Made {
  readonly seconds: number;
  /** The most that the process had, in MB. */
  readonly megabytes: number;
}

/**
 * A full CRL of that many entries: ours read from the database, signed and stored in it, in a process of its own; beside
 * `openssl ca -gencrl`, which reads its index file and writes a file. Time from start to end of the process and its peak
 * memory. openssl reads what both made.
 */
export async function measureCrls(folder: string, sizes: readonly number[]): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const entries of sizes) {
    const place = join(folder, `crl-${entries}`);
    mkdirSync(place);
    const database = await startCaDatabase(place);
    try {
      opensslCa(place, '');
      await fill(database.ownerUrl, entries);
      writeIndex(place, entries);
      const [ours, theirs]: [Made[], Made[]] = [[], []];
      for (let round = 0; round < ROUNDS; round += 1) {
        await makeDueAgain(database.ownerUrl);
        ours.push(await timed(makeOurs(place, database.caUrl)));
        theirs.push(await timed(makeTheirs(place)));
      }
      checkEntries(place, entries);
      rows.push(row(entries, middle(ours), middle(theirs)));
    } finally {
      await database.stop();
    }
  }
  return rows;
}

function row(entries: number, mine: Made, floor: Made): Row {
  const said = ({ seconds, megabytes }: Made) => `${seconds.toFixed(2)} s, ${Math.round(megabytes)} MB`;
  return {
    what: `CRL of ${entries.toLocaleString('en')} entries from the database`,
    ours: said(mine),
    floor: `${said(floor)} (openssl ca -gencrl, from its index)`,
    ratio: floor.seconds / mine.seconds,
    aim: 1,
  };
}

const middle = (all: readonly Made[]): Made =>
  all.toSorted((a, b) => a.seconds - b.seconds)[Math.floor(all.length / 2)] as Made;

/**
 * Revocations as they stand in the database, without the history and the certificates that they belong to: a million of
 * those would take minutes to make, and nothing here reads them.
 */
async function fill(ownerUrl: string, entries: number): Promise<void> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    await client.query(`INSERT INTO ca.authorities (name, certificate) VALUES ('root', ''), ('issuing', '')`);
    await client.query('ALTER TABLE ca.revocations DISABLE TRIGGER USER');
    await client.query('ALTER TABLE ca.revocations DROP CONSTRAINT revocations_serial_number_fkey');
    await client.query('ALTER TABLE ca.crl_scopes DISABLE TRIGGER USER');
    await client.query(
      `INSERT INTO ca.revocations (serial_number, issuer, shard, change_number, reason, revoked_at, entry)
       SELECT serial, 'issuing', 0, n, 'superseded', '2026-10-01',
              '\\x302f0210'::bytea || serial || '\\x170d3236313030313030303030305a300c300a0603551d1504030a0104'::bytea
       FROM (SELECT n, set_byte(sha256(int8send(n)), 0, 1 + (n % 120)::int) AS long FROM generate_series(1, $1::bigint) n) all_of_them,
         substring(long FROM 1 FOR 16) AS serial`,
      [entries],
    );
    await client.query(
      `INSERT INTO ca.crl_scopes (issuer, shard, change_count, entry_count, entry_bytes)
       SELECT 'issuing', 0, count(*), count(*), sum(length(entry)) FROM ca.revocations`,
    );
    await client.query('VACUUM ANALYZE ca.revocations');
  } finally {
    await client.end();
  }
}

/** One more change than the last CRL covers, long enough ago. */
async function makeDueAgain(ownerUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    await client.query('UPDATE ca.crl_scopes SET change_count = change_count + 1');
    await client.query("UPDATE ca.crls SET number = number + 1, this_update = this_update - interval '1 minute'");
    await client.query('UPDATE ca.crl_numbers SET number = number + 1');
  } finally {
    await client.end();
  }
}

function writeIndex(place: string, entries: number): void {
  const lines: string[] = [];
  for (let n = 1; n <= entries; n += 1) {
    // As random-looking and as long as ours.
    const serial = `${(0x10 + (n % 0x60)).toString(16)}${(n * 2_654_435_761).toString(16).padStart(30, '5')}`;
    lines.push(`R\t401231235959Z\t261001000000Z,superseded\t${serial.toUpperCase()}\tunknown\t/CN=${n}\n`);
  }
  writeFileSync(join(place, 'index.txt'), lines.join(''));
  writeFileSync(
    join(place, 'ca.cnf'),
    '[ca]\ndefault_ca=peer\n[peer]\ndatabase=index.txt\ncrlnumber=crlnumber\ndefault_md=sha256\ndefault_crl_days=1\n' +
      'certificate=ca.pem\nprivate_key=ca.key\ncrl_extensions=crl\n[crl]\nauthorityKeyIdentifier=keyid\n',
  );
  writeFileSync(join(place, 'crlnumber'), '01\n');
}

const makeOurs = (place: string, caUrl: string): ChildProcess =>
  spawn(
    process.execPath,
    [inRepository('services', 'ca', 'dist', 'testing', 'make-crl.pg.js'), ...[caUrl, 'ca.pem', 'ca.key', 'ours.crl']],
    { cwd: place, env: baseEnvironment(), stdio: ['ignore', 'ignore', 'inherit'] },
  );

const makeTheirs = (place: string): ChildProcess =>
  spawn('openssl', ['ca', '-config', 'ca.cnf', '-gencrl', '-out', 'theirs.crl'], {
    cwd: place,
    env: { PATH: process.env.PATH ?? '', SSL_CERT_FILE: '/dev/null' },
    stdio: ['ignore', 'ignore', 'ignore'],
  });

async function timed(child: ChildProcess): Promise<Made> {
  const began = performance.now();
  const memory = watchMemory(child.pid);
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const seconds = (performance.now() - began) / 1000;
  const megabytes = memory() / 1024;
  if (code !== 0) throw new Error(`${child.spawnfile} ended with ${code}`);
  return { seconds, megabytes };
}

function checkEntries(place: string, entries: number): void {
  for (const [file, form] of [
    ['ours.crl', 'DER'],
    ['theirs.crl', 'PEM'],
  ] as const) {
    const said = openssl(place, 'crl', '-in', file, '-inform', form, '-CAfile', 'ca.pem', '-noout', '-text');
    const found = said.match(/Serial Number: /g)?.length;
    if (found !== entries) throw new Error(`${file} has ${found} entries`);
  }
}
