import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '@cardwright/infra';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CaInstallation,
  caInstallation,
  fetchBytes,
  makeCsr,
  openssl,
  order,
} from '../integration/ca/ca-process.ts';
import { runMatrix, spread, whole } from '../support/crash/matrix.ts';
import { type OwnCluster, ownCluster } from '../support/own-cluster.ts';

const serves = (ca: CaInstallation) =>
  ca.client.health().then(
    () => true,
    () => false,
  );

/** Every CRL that anybody got to see, by kind and number: no number may ever be of two. */
class SeenCrls {
  readonly #digests = new Map<string, string>();

  async look(ca: CaInstallation): Promise<void> {
    for (const kind of ['issuing.crl', 'issuing-delta.crl']) {
      const { response, bytes } = await fetchBytes(`${ca.url()}/pki/${kind}`);
      if (response.status !== 200) throw new Error(`${kind}: ${response.status}`);
      const path = join(ca.folder, 'seen.crl');
      await writeFile(path, bytes);
      const number = await openssl('crl', '-inform', 'DER', '-in', path, '-noout', '-crlnumber');
      const digest = createHash('sha256').update(bytes).digest('hex');
      expect(this.#digests.get(kind + number) ?? digest, `${kind} ${number}`).toBe(digest);
      this.#digests.set(kind + number, digest);
    }
  }
}

/** Two certificates: one held, released and revoked in the end, the other revoked. Each act has its time: it can be repeated. */
async function prepare(ca: CaInstallation) {
  const csr = await makeCsr(ca.folder);
  const [one, two] = [await ca.client.issue(order('one', csr)), await ca.client.issue(order('two', csr))];
  const at = new Date(Math.floor(Date.now() / 1000) * 1000).toISOString();
  const acts = [
    () => ca.client.revoke({ serialNumber: one.serialNumber, reason: 'certificateHold', revokedAt: at }),
    () => ca.client.revoke({ serialNumber: two.serialNumber, reason: 'keyCompromise', revokedAt: at }),
    () => ca.client.release({ serialNumber: one.serialNumber, releasedAt: at }),
    () => ca.client.revoke({ serialNumber: one.serialNumber, reason: 'superseded', revokedAt: at }),
  ];
  return { one: one.serialNumber, two: two.serialNumber, acts };
}
type Prepared = Awaited<ReturnType<typeof prepare>>;

/** @returns how many acts were answered before one was not. */
async function perform(ca: CaInstallation, { acts }: Prepared, from: number, seen: SeenCrls): Promise<number> {
  for (let at = from; at < acts.length; at += 1) {
    const answered = await acts[at]?.().then(
      () => true,
      () => false,
    );
    if (answered !== true) return at;
    if (
      !(await seen.look(ca).then(
        () => true,
        (error) => judged(error),
      ))
    )
      return at + 1;
  }
  return acts.length;
}

/** The process died while it was looked at; a finding is none of that. */
function judged(error: unknown): false {
  if (error instanceof Error && error.name === 'AssertionError') throw error;
  return false;
}

const EXPECTED = { one: ['on-hold', 'good', 'revoked'], two: ['revoked'] } as const;

/** The history is a beginning of what was asked, with everything that was answered. */
async function history(ca: CaInstallation, serialNumber: string): Promise<string[]> {
  const { rows } = await ca.owner.query(
    "SELECT status FROM ca.status_changes WHERE serial_number = decode($1, 'hex') ORDER BY number",
    [serialNumber],
  );
  return rows.map(({ status }) => status);
}

async function judgeEnd(ca: CaInstallation, { one, two }: Prepared): Promise<void> {
  expect({ one: await history(ca, one), two: await history(ca, two) }).toEqual(EXPECTED);
  const { rows } = await ca.owner.query('SELECT number FROM ca.status_changes ORDER BY number');
  expect(rows.map(({ number }) => Number(number))).toEqual([1, 2, 3, 4]);
  const { bytes } = await fetchBytes(`${ca.url()}/pki/issuing.crl`);
  for (const serial of [one, two]) expect(bytes.includes(Buffer.from(serial, 'hex'))).toBe(true);
}

describe('holds, revocations, releases and their CRLs in the ca', () => {
  let points: string[];
  let traced: CaInstallation;
  beforeAll(async () => {
    traced = await caInstallation();
    const trace = join(traced.folder, 'trace.txt');
    traced.launch({ CA_FAULT_TRACE: trace });
    await until({ what: 'the CA to serve', seconds: 30 }, () => serves(traced));
    const prepared = await prepare(traced);
    expect(await perform(traced, prepared, 0, new SeenCrls())).toBe(4);
    await judgeEnd(traced, prepared);
    points = readFileSync(trace, 'utf8')
      .trimEnd()
      .split('\n')
      .map((name, at) => `${at + 1} ${name}`)
      .filter((point) => / (status|crls)\./.test(point));
  }, 60_000);
  afterAll(() => traced?.dispose());

  it('survive kill -9 at every point', async () => {
    await runMatrix({
      title: 'status in the ca',
      points,
      victims: ['ca'],
      judged: 'what was answered stands, asked again the rest follows, nothing twice; no CRL number is of two CRLs',
      sample: spread({ points, victims: ['ca'] }, 2),
      kill: async (point) => {
        const ca = await caInstallation();
        const seen = new SeenCrls();
        try {
          const launched = ca.launch({ CA_FAULT_AT: point.split(' ')[0] ?? '' });
          await until({ what: 'the CA to die or to serve', seconds: 30 }, async () =>
            launched.signalCode !== null ? true : serves(ca),
          );
          let prepared: Prepared | null = null;
          let done = 0;
          if (launched.signalCode === null) {
            prepared = await prepare(ca);
            done = await perform(ca, prepared, 0, seen);
          }
          await until({ what: 'the CA to die', seconds: 30 }, () => launched.signalCode === 'SIGKILL');
          await ca.start();
          prepared ??= await prepare(ca);
          // Everything that was answered is there before it is asked for again.
          const count = (await history(ca, prepared.one)).length + (await history(ca, prepared.two)).length;
          expect(count).toBeGreaterThanOrEqual(done);
          await seen.look(ca);
          expect(await perform(ca, prepared, done, seen)).toBe(4);
          await judgeEnd(ca, prepared);
        } finally {
          await ca.dispose();
        }
      },
    });
  }, 600_000);
});

describe('kill -9 of PostgreSQL under revocations', () => {
  let cluster: OwnCluster;
  let ca: CaInstallation;
  beforeAll(async () => {
    cluster = await ownCluster();
    ca = await caInstallation({}, async () => cluster.database);
    ca.owner.on('error', () => undefined); // its idle connections die with the server
    await ca.start();
  }, 60_000);
  afterAll(async () => {
    await ca?.dispose();
    await cluster?.stop();
  });

  it('forgets none that was answered, and uses no CRL number twice', async () => {
    const csr = await makeCsr(ca.folder);
    const seen = new SeenCrls();
    const revokedAt = new Date().toISOString();
    for (let round = 0; round < (whole ? 15 : 1); round += 1) {
      const issued = await Promise.all(
        Array.from({ length: 60 }, (_, n) => ca.client.issue(order(`round-${round}-${n}`, csr))),
      );
      const revoke = (serialNumber: string) => ca.client.revoke({ serialNumber, reason: 'superseded', revokedAt });
      const before = issued.map(({ serialNumber }) =>
        revoke(serialNumber).then(
          () => serialNumber,
          () => null,
        ),
      );
      await until({ what: 'some answers', seconds: 30, everyMs: 2 }, async () => {
        const first = await Promise.race([before[3 * (round % 15)], Promise.resolve('not yet')]);
        return first !== 'not yet';
      });
      await cluster.kill();
      await cluster.start();
      const answered = (await Promise.all(before)).flatMap((serial) => serial ?? []);
      await until({ what: 'the CA to have its database again', seconds: 30 }, () => serves(ca));
      const { rows } = await ca.owner.query("SELECT encode(serial_number, 'hex') AS serial FROM ca.status_changes");
      const recorded = new Set(rows.map(({ serial }) => serial));
      expect(answered.filter((serial) => !recorded.has(serial))).toEqual([]);
      await Promise.all(issued.map(({ serialNumber }) => revoke(serialNumber)));
      await seen.look(ca);
      const { bytes } = await fetchBytes(`${ca.url()}/pki/issuing.crl`);
      for (const { serialNumber } of issued) expect(bytes.includes(Buffer.from(serialNumber, 'hex'))).toBe(true);
    }
    const { rows } = await ca.owner.query(
      'SELECT count(*)::int AS changes, count(DISTINCT serial_number)::int AS serials, max(number)::int AS last FROM ca.status_changes',
    );
    expect(rows[0].serials).toBe(rows[0].changes);
    expect(rows[0].last).toBe(rows[0].changes);
  }, 600_000);
});
