import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { System } from '../launcher/system.ts';
import { idOf } from './auditor-rows.ts';
import { startCfssl } from './cfssl.ts';
import { type LoadRequest, type LoadResult, runLoad } from './load.ts';
import type { Row } from './table.ts';

const CONNECTIONS = [8, 32] as const;
const ROUNDS = 3;
/** Out of the way of the rows of other measurements. */
const FIRST = 0xa0000000;

/**
 * Certificates a second through the whole product: a device asks over HTTP for the next certificate of its card, with a
 * request of a P-256 key. Its token is checked, the card, its profile and what it has are read, the record and the audit event
 * are written, the ca is asked (which records it twice), and the record and the audit event of the answer are written, all
 * durably. The peer is `cfssl serve` that records in the same PostgreSQL, by its HTTP API. The cards and what they have are
 * put there beforehand.
 */
export async function measureCertificates(system: System, perRound: number): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'cw-bench-certificates-'));
  const client = new pg.Client({ connectionString: system.database.ownerUrl });
  await client.connect();
  const peer = await startCfssl(folder, await peerDatabase(client, system.database.ownerUrl));
  try {
    const csrs = Array.from({ length: 64 }, (_, number) => makeCsr(folder, number));
    const csr = (number: number) => csrs[number % csrs.length] as Csr;
    let used = 0;
    const ours = async (connections: number, count: number): Promise<LoadResult> => {
      await addDueCards(client, used, used + count, csr(0).der);
      const requests = Array.from({ length: count }, (_, at) => dueRequest(used + at, csr(at + 1).der));
      used += count;
      return runLoad({ port: Number(new URL(system.url).port), connections, expectedStatus: 201, requests });
    };
    const theirs = (connections: number, count: number): Promise<LoadResult> => {
      const path = '/api/v1/cfssl/sign';
      const body = (at: number) => JSON.stringify({ certificate_request: csr(at).pem, hosts: ['alice.corp.example'] });
      const requests = Array.from({ length: count }, (_, at) => ({ path, headers: {}, body: body(at) }));
      return runLoad({ port: peer.port, connections, expectedStatus: 200, requests });
    };
    await ours(CONNECTIONS[0], Math.ceil(perRound / 2)); // compiled code, plans, pages
    await theirs(CONNECTIONS[0], Math.ceil(perRound / 2));
    const rows: Row[] = [];
    for (const connections of CONNECTIONS) {
      const [mine, others]: [LoadResult[], LoadResult[]] = [[], []];
      for (let round = 0; round < ROUNDS; round += 1) {
        mine.push(await ours(connections, perRound));
        others.push(await theirs(connections, perRound));
      }
      const [my, their] = [middle(mine), middle(others)];
      rows.push({
        what: `certificates through cms with record and audit, P-256, ${connections} connections`,
        ours: `${Math.round(my.perSecond)}/s, p99 ${my.p99.toFixed(0)} ms`,
        floor: `${Math.round(their.perSecond)}/s, p99 ${their.p99.toFixed(0)} ms (cfssl serve with PostgreSQL)`,
        ratio: my.perSecond / their.perSecond,
        aim: 1,
      });
    }
    return rows;
  } finally {
    await peer.stop();
    await client.query('DROP SCHEMA cfssl CASCADE');
    await client.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The table that cfssl records in (certdb/pg/migrations/001_CreateCertificates.sql), in a schema of its own. */
async function peerDatabase(client: pg.Client, ownerUrl: string): Promise<string> {
  await client.query(`CREATE SCHEMA cfssl
    CREATE TABLE certificates (serial_number bytea NOT NULL, authority_key_identifier bytea NOT NULL, ca_label bytea,
      status bytea NOT NULL, reason int, expiry timestamptz, revoked_at timestamptz, pem bytea NOT NULL,
      PRIMARY KEY (serial_number, authority_key_identifier))`);
  const url = new URL(ownerUrl);
  url.searchParams.set('search_path', 'cfssl');
  url.searchParams.set('sslmode', 'disable');
  return url.toString();
}

const tokenOf = (number: number) => `bench-device-token-${String(number).padStart(12, '0')}`;
const sqlId = (
  kind: string,
) => `(SELECT ('0190' || substr(h, 1, 4) || '-' || substr(h, 5) || '-7000-8000-${kind.repeat(12)}')::uuid
  FROM lpad(to_hex(${FIRST} + n), 8, '0') AS h)`;

/** People with a card each, whose certificate has a month left of its year: due for the next one. */
async function addDueCards(client: pg.Client, from: number, to: number, csr: Buffer): Promise<void> {
  const series = `generate_series(${from}::bigint, ${to - 1}) AS n`;
  const bytes = `'\\x${csr.toString('hex')}'::bytea`;
  await client.query(`
    INSERT INTO people (id, display_name, user_principal_name, email)
      SELECT ${sqlId('a')}, 'Person ' || n, 'bench-' || n || '@example.com', 'bench-' || n || '@example.com' FROM ${series};
    INSERT INTO devices (id, host_name, platform, storage_key_name, token_hash)
      SELECT ${sqlId('b')}, 'bench-' || n, 'linux-x64', md5(n::text), sha256(convert_to('bench-device-token-' || lpad(n::text, 12, '0'), 'UTF8')) FROM ${series};
    INSERT INTO cards (id, serial, person_id, device_id, profile_name, kind, algorithm, key_strategy, state)
      SELECT ${sqlId('c')}, 'BENCH-' || n, ${sqlId('a')}, ${sqlId('b')}, 'tpm-default', 'tpm', 'hmac-sha256', 'random-stored', 'active' FROM ${series};
    INSERT INTO certificates (id, request_id, card_id, device_id, person_id, container, certificate_profile, certificate_profile_version,
        status, csr, csr_hash, public_key_hash, serial_number, thumbprint, subject, issuer, not_before, not_after, der, created_at)
      SELECT ${sqlId('d')}, 'bench-old-' || n, ${sqlId('c')}, ${sqlId('b')}, ${sqlId('a')}, 'sign-in', 'smart-card-sign-in', 1, 'active', ${bytes},
        sha256(${bytes}), sha256(int8send(n)), md5('bench' || n), md5(n::text) || md5(n::text), 'CN=old', 'CN=Issuing CA',
        now() - interval '340 days', now() + interval '25 days', ${bytes}, now() - interval '340 days' FROM ${series};
    ANALYZE people, devices, cards, certificates, certificate_states`);
}

/** Each device from an address of its own, as a fleet does: the limit of one address is not what is measured. */
const addressOf = (number: number) => `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;

function dueRequest(number: number, csr: Buffer): LoadRequest {
  const replaces = idOf('d', FIRST + number);
  return {
    path: `/api/v1/agent/cards/${idOf('c', FIRST + number)}/certificate-requests`,
    headers: { authorization: `Bearer ${tokenOf(number)}`, 'x-forwarded-for': addressOf(number) },
    body: JSON.stringify({ container: 'sign-in', replaces, csr: csr.toString('base64') }),
  };
}

interface Csr {
  readonly pem: string;
  readonly der: Buffer;
}

function makeCsr(folder: string, number: number): Csr {
  const out = join(folder, `${number}.csr`);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', join(folder, 'csr.key')];
  execFileSync('openssl', ['req', '-new', ...key, '-subj', '/CN=bench', '-out', out], { stdio: 'pipe' });
  const pem = readFileSync(out, 'utf8');
  return { pem, der: Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64') };
}

function middle(rounds: readonly LoadResult[]): LoadResult {
  const sorted = rounds.toSorted((a, b) => a.perSecond - b.perSecond);
  return sorted[Math.floor(sorted.length / 2)] as LoadResult;
}
