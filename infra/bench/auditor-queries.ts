import { createHash } from 'node:crypto';
import pg from 'pg';
import type { System } from '../launcher/system.ts';
import { addCertificates, CERTIFICATES_EACH, idOf } from './auditor-rows.ts';
import { getLoad } from './get-load.ts';
import type { Row } from './table.ts';

const ASKED = 500;
const [LATENCY_AIM, FLAT_AIM] = [1 / 3, 0.5];

/** One question of an auditor: what is asked of the API, and what the API asks of PostgreSQL for it. */
interface Question {
  readonly what: string;
  readonly path: (number: number) => string;
  readonly text: string;
  readonly values: (number: number) => readonly unknown[];
}

/** As in services/cms/certificates/views.pg.ts and history/: that both give the same is checked with each answer. */
const found = (where: string, order = 'c.id DESC', more = '', columns = 'c.*') =>
  `SELECT c.id, c.card_id, c.device_id, c.person_id, c.container, c.certificate_profile, c.certificate_profile_version, c.authority,
  c.assurance, c.serial_number, c.thumbprint, encode(c.public_key_hash, 'hex'), c.subject, c.issuer, c.not_before, c.not_after, c.der,
  c.created_at, c.ignored_request, c.status, c.attestation, c.attestation_code, c.attested_at, r.revoked_at, r.state, r.reason,
  r.comment, r.requested_by_id, r.requested_by_name, p.display_name, p.user_principal_name, d.host_name, k.serial
  FROM (SELECT ${columns} FROM certificates c ${more} WHERE ${where} ORDER BY ${order} LIMIT 51) c
  JOIN people p ON p.id = c.person_id JOIN devices d ON d.id = c.device_id JOIN cards k ON k.id = c.card_id
  LEFT JOIN revocations r ON r.certificate_id = c.id ORDER BY ${order}`;
const STATE = `JOIN LATERAL (SELECT status AS past FROM certificate_states WHERE certificate_id = c.id AND since <= $2
  ORDER BY number DESC LIMIT 1) s ON true`;

/** Whose token it is, as every request asks: services/cms/access/credentials.pg.ts. */
const SIGN_IN = {
  name: 'sign-in',
  text: `SELECT t.token_hash, 'operator' AS kind, o.id, o.name, o.display_name, o.role, t.expires_at
      FROM api_tokens t JOIN operators o ON o.id = t.operator_id
      WHERE t.token_hash = ANY ($1::bytea[]) AND (t.expires_at IS NULL OR t.expires_at > now()) AND o.disabled_at IS NULL
    UNION ALL SELECT d.token_hash, CASE WHEN i.device_id IS NULL THEN 'device-token' END, d.id, d.host_name, d.host_name, NULL, NULL
      FROM devices d LEFT JOIN device_identities i ON i.device_id = d.id WHERE d.token_hash = ANY ($1::bytea[])
    UNION ALL SELECT a.token_hash, 'device-assertion', d.id, d.host_name, d.host_name, NULL, a.expires_at
      FROM device_access_tokens a JOIN devices d ON d.id = a.device_id
      WHERE a.token_hash = ANY ($1::bytea[]) AND a.expires_at > now()`,
};

async function questionsOf(client: pg.Client): Promise<Question[]> {
  const { rows } = await client.query<{ serial: string; thumbprint: string; key: string }>(
    `SELECT serial_number AS serial, thumbprint, encode(public_key_hash, 'hex') AS key FROM certificates
     WHERE serial_number LIKE '5f%' ORDER BY thumbprint LIMIT ${ASKED}`,
  );
  const { rows: counted } = await client.query<{ n: string }>('SELECT count(*) AS n FROM cards');
  const people = Number(counted[0]?.n);
  const person = (number: number) => Math.floor(((number * 7919) % 100_003) * (people / 100_003));
  const row = (number: number) => rows[number % rows.length] as (typeof rows)[number];
  const month = new Date(Date.now() + 60 * 86_400_000).toISOString().slice(0, 7);
  const next = new Date(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5)), 1)).toISOString();
  const moment = new Date(Date.now() - 30 * 86_400_000);
  const of = (name: string, column: string, kind: 'a' | 'b' | 'c'): Question => ({
    what: name,
    path: (number) => `/api/v1/certificates?${name}Id=${idOf(kind, person(number))}`,
    text: found(`c.${column} = $1`),
    values: (number) => [idOf(kind, person(number))],
  });
  return [
    of('device', 'device_id', 'b'),
    of('card', 'card_id', 'c'),
    of('person', 'person_id', 'a'),
    {
      what: 'serial number',
      path: (number) => `/api/v1/certificates?serialNumber=${row(number).serial}`,
      text: found('c.serial_number = $1'),
      values: (number) => [row(number).serial],
    },
    {
      what: 'thumbprint',
      path: (number) => `/api/v1/certificates?thumbprint=${row(number).thumbprint}`,
      text: found('c.thumbprint = $1'),
      values: (number) => [row(number).thumbprint],
    },
    {
      what: 'public key',
      path: (number) => `/api/v1/certificates?publicKey=${row(number).key}`,
      text: found(`c.public_key_hash = decode($1, 'hex')`),
      values: (number) => [row(number).key],
    },
    {
      what: 'person as of a past date',
      path: (number) => `/api/v1/certificates?personId=${idOf('a', person(number))}&asOf=${moment.toISOString()}`,
      text: found('c.person_id = $1', 'c.id DESC', STATE),
      values: (number) => [idOf('a', person(number)), moment],
    },
    {
      what: 'history of one',
      path: (number) => `/api/v1/certificates/${idOf('d', person(number) * CERTIFICATES_EACH)}/history`,
      text: `SELECT s.*, e.* FROM certificate_states s LEFT JOIN LATERAL (SELECT id AS event_id, action, actor_kind, actor_id, actor_name,
        request_id, audit_events.reason AS why, ticket FROM audit_events WHERE certificate_id = s.certificate_id
        AND transaction_id = s.transaction_id AND outcome = 'done' ORDER BY audit_events.id LIMIT 1) e ON true
        WHERE s.certificate_id = $1 AND s.number < 2147483647 ORDER BY s.number DESC LIMIT 51`,
      values: (number) => [idOf('d', person(number) * CERTIFICATES_EACH)],
    },
    {
      what: 'a page of 50 that are revoked',
      path: () => '/api/v1/certificates?status=revoked',
      text: found(`c.status = 'revoked'`),
      values: () => [],
    },
    {
      what: 'a page of 50 that end in a month',
      path: () => `/api/v1/certificate-expiries/${month}/certificates`,
      text: found(`c.status IN ('active', 'on-hold') AND c.not_after >= $1 AND c.not_after < $2`, 'c.not_after, c.id'),
      values: () => [`${month}-01T00:00:00Z`, next],
    },
    {
      what: 'how many end in each month',
      path: () => '/api/v1/certificate-expiries',
      text: `SELECT month, certificate_profile, sum(n)::float8 FROM (SELECT month, certificate_profile, count AS n FROM certificate_expiry_counts
        UNION ALL SELECT month, certificate_profile, change FROM certificate_expiry_changes) AS kept
        WHERE month >= date_trunc('month', now()) AND month < date_trunc('month', now()) + interval '24 months'
        GROUP BY kept.month, certificate_profile HAVING sum(n) > 0 ORDER BY kept.month, certificate_profile`,
      values: () => [],
    },
  ];
}

/**
 * What an auditor asks, over HTTP, on so many certificates as `sizes` says, beside the same SQL (the sign-in's and the question's) by pg on one connection:
 * the median and the slowest hundredth of a call, one after the other. And how much slower the last size is than the first.
 */
export async function measureAuditorQueries(system: System, sizes: readonly number[]): Promise<Row[]> {
  const client = new pg.Client({ connectionString: system.database.ownerUrl });
  await client.connect();
  const rows: Row[] = [];
  const token = createHash('sha256').update(system.tokens.auditor).digest();
  const medians = new Map<string, number>();
  let worst = { ratio: Number.POSITIVE_INFINITY, what: '', first: 0, last: 0 };
  try {
    for (const [at, size] of sizes.entries()) {
      await addCertificates(client, at === 0 ? 0 : (sizes[at - 1] as number), size);
      for (const question of await questionsOf(client)) {
        const theirs = await askPostgres(client, question, at, token);
        const ours = await askApi(system, question, theirs.counts);
        if (at === 0) medians.set(question.what, ours.p50);
        if (at === 0) continue;
        const first = medians.get(question.what) ?? 0;
        if (first / ours.p50 < worst.ratio)
          worst = { ratio: first / ours.p50, what: question.what, first, last: ours.p50 };
        rows.push({
          what: `${size} certificates: ${question.what}`,
          ours: `p50 ${ours.p50.toFixed(2)} ms, p99 ${ours.p99.toFixed(2)} ms`,
          floor: `p50 ${theirs.p50.toFixed(2)} ms, p99 ${theirs.p99.toFixed(2)} ms (pg)`,
          ratio: theirs.p50 / ours.p50,
          aim: LATENCY_AIM,
        });
      }
    }
    const [smallest, largest] = [sizes[0], sizes.at(-1)];
    rows.push({
      what: `the worst of them, ${largest} beside ${smallest}: ${worst.what}`,
      ours: `p50 ${worst.last.toFixed(2)} ms`,
      floor: `p50 ${worst.first.toFixed(2)} ms`,
      ratio: worst.ratio,
      aim: FLAT_AIM,
    });
    return rows;
  } finally {
    await client.end();
  }
}

interface Times {
  readonly p50: number;
  readonly p99: number;
}

const timesOf = (times: number[]): Times => {
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  return { p50: at(0.5), p99: at(0.99) };
};

async function askPostgres(
  client: pg.Client,
  question: Question,
  at: number,
  token: Buffer,
): Promise<Times & { counts: number[] }> {
  const [times, counts]: [number[], number[]] = [[], []];
  for (let number = 0; number < ASKED; number += 1) {
    const began = performance.now();
    const { text, values } = question;
    await client.query({ ...SIGN_IN, values: [[token]] });
    // A statement of its own for each size: a plan is made for the table as it is.
    const { rowCount } = await client.query({ name: `${at} ${question.what}`, text, values: [...values(number)] });
    times.push(performance.now() - began);
    counts.push(rowCount ?? 0);
  }
  return { ...timesOf(times), counts };
}

async function askApi(system: System, question: Question, counts: readonly number[]): Promise<Times> {
  const port = Number(new URL(system.url).port);
  const headers = { authorization: `Bearer ${system.tokens.auditor}` };
  const paths = Array.from({ length: ASKED }, (_, number) => question.path(number));
  const times = await getLoad({ port, headers, paths }, (body, number) => {
    const { items } = JSON.parse(body) as { items: unknown[] };
    if (items.length !== Math.min(50, counts[number] ?? 0)) throw new Error(`${question.what}: ${items.length} items`);
  });
  return timesOf(times);
}
