import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { IssueAnswer } from '@cardwright/ca';
import {
  type Cluster,
  ensureOwnDatabase,
  ensureRoles,
  migrate,
  roleNames,
  startPostgres,
  until,
  zoneUrl,
} from '@cardwright/infra';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CaInstallation, caInstallation, makeCsr, order } from '../integration/ca/ca-process.ts';
import { runMatrix, spread, whole } from '../support/crash/matrix.ts';
import { runFolder } from '../support/run-folder.ts';

const IDS = ['first', 'second', 'third', 'fourth'];

/** All certificates in turn; those that were answered, however far it got. A request that fails ends it. */
async function issueAll(ca: CaInstallation, csrs: readonly Buffer[], answered: Map<string, IssueAnswer>) {
  for (const [at, id] of IDS.entries()) {
    const answer = await ca.client.issue(order(id, csrs[at] as Buffer)).catch(() => null);
    if (answer === null) return;
    answered.set(id, answer);
  }
}

/** Every request has one certificate, what was answered is what there is, and no serial number came twice. */
async function judge(ca: CaInstallation, answered: ReadonlyMap<string, IssueAnswer>): Promise<void> {
  for (const [id, answer] of answered) expect(await ca.client.find({ requestId: id })).toEqual(answer);
  const { rows } = await ca.owner.query(`SELECT request_id, state, encode(serial_number, 'hex') AS serial
    FROM ca.certificates WHERE profile <> 'ocsp-responder' ORDER BY request_id`);
  expect(rows.map(({ request_id, state }) => [request_id, state])).toEqual(
    [...answered.keys()].sort().map((id) => [id, 'issued']),
  );
  expect(new Set(rows.map(({ serial }) => serial)).size).toBe(answered.size);
}

/** kill -9 at every point of the ca's first start and of four certificates. */
describe('issuance in the ca', () => {
  let points: string[];
  let csrs: Buffer[];
  let traced: CaInstallation;
  beforeAll(async () => {
    traced = await caInstallation();
    csrs = await Promise.all(IDS.map(() => makeCsr(traced.folder)));
    const trace = join(traced.folder, 'trace.txt');
    traced.launch({ CA_FAULT_TRACE: trace });
    const answered = new Map<string, IssueAnswer>();
    await untilServed(traced);
    await issueAll(traced, csrs, answered);
    await judge(traced, answered);
    points = readFileSync(trace, 'utf8')
      .trimEnd()
      .split('\n')
      .map((name, at) => `${at + 1} ${name}`);
  }, 60_000);
  afterAll(() => traced.dispose());

  const untilServed = (ca: CaInstallation) =>
    until({ what: 'the CA to serve', seconds: 30 }, () =>
      ca.client.health().then(
        () => true,
        () => false,
      ),
    );

  it('survives kill -9 at every point', async () => {
    const dies = async (point: string) => {
      const ca = await caInstallation();
      try {
        const launched = ca.launch({ CA_FAULT_AT: point.split(' ')[0] ?? '' });
        const answered = new Map<string, IssueAnswer>();
        await until({ what: 'the CA to die or to serve', seconds: 30 }, async () => {
          if (launched.signalCode !== null) return true;
          return ca.client.health().then(
            () => true,
            () => false,
          );
        });
        if (launched.signalCode === null) await issueAll(ca, csrs, answered);
        await until({ what: 'the CA to die', seconds: 30 }, () => launched.signalCode === 'SIGKILL');
        await ca.start();
        await judgeUnfinished(ca);
        await judge(ca, await completed(ca, answered));
      } finally {
        await ca.dispose();
      }
    };
    /** What was answered before the death is answered again, and everything else now. */
    const completed = async (ca: CaInstallation, before: ReadonlyMap<string, IssueAnswer>) => {
      const after = new Map<string, IssueAnswer>();
      await issueAll(ca, csrs, after);
      expect([...after.keys()]).toEqual(IDS);
      for (const [id, answer] of before) expect(after.get(id)).toEqual(answer);
      return after;
    };
    await runMatrix({
      title: 'issuance in the ca',
      points,
      victims: ['ca'],
      judged: 'the next start has one root, and says what was left; asked again, each request has one certificate',
      sample: spread({ points, victims: ['ca'] }, 2),
      kill: (point) => dies(point),
    });
  }, 600_000);

  /** What was proposed and not issued is told by the start after, with its request. */
  async function judgeUnfinished(ca: CaInstallation): Promise<void> {
    const { rows } = await ca.owner.query(
      "SELECT request_id FROM ca.certificates WHERE state = 'proposed' AND profile <> 'ocsp-responder'",
    );
    for (const { request_id: id } of rows) {
      await until({ what: `the CA to tell of ${id}`, seconds: 30 }, () => ca.log().includes(`"requestId":"${id}"`));
    }
  }
});

/** A PostgreSQL of the test's own, for one that is shared by others can't be killed. */
describe('kill -9 of PostgreSQL under load', () => {
  let cluster: Cluster;
  let folder: string;
  let ca: CaInstallation;
  const start = (port?: number) =>
    startPostgres({
      directory: join(folder, 'data'),
      superuserPassword: 'of the test',
      logFile: join(folder, 'log'),
      ...(port === undefined ? {} : { port }),
    });
  beforeAll(async () => {
    folder = await mkdtemp(join(runFolder(), 'postgres-'));
    await chmod(folder, 0o711);
    cluster = await start();
    const superuserUrl = cluster.superuserUrl('postgres');
    const ownerUrl = await ensureOwnDatabase({ superuserUrl, database: 'killed', ownerPassword: 'owner' });
    const roles = roleNames('killed');
    const passwords = { cms: 'cms', vault: 'vault', ca: 'ca' };
    const writeSql = () => {
      throw new Error('the owner of the test database may make roles');
    };
    await ensureRoles({ ownerUrl, roles, passwords, writeSql });
    await migrate({ ownerUrl, roles });
    const urls = { cms: '', vault: '', ca: zoneUrl(ownerUrl, roles.ca, passwords.ca) };
    ca = await caInstallation({}, async () => ({ ownerUrl, urls, drop: async () => undefined }));
    await ca.start();
  }, 60_000);
  afterAll(async () => {
    await ca?.dispose();
    await cluster?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('loses nothing that was answered, and issues nothing twice', async () => {
    const csr = await makeCsr(ca.folder);
    for (let round = 0; round < (whole ? 25 : 1); round += 1) {
      const ids = Array.from({ length: 400 }, (_, n) => `round-${round}-${n}`);
      const before = ids.map((id) => ca.client.issue(order(id, csr)).catch(() => null));
      // In the midst of them: some are answered, some are not.
      await until({ what: 'some answers', seconds: 30, everyMs: 2 }, async () => {
        const settled = await Promise.race([before[20 * (round % 10)], Promise.resolve('not yet')]);
        return settled !== 'not yet';
      });
      await cluster.kill();
      cluster = await start(cluster.port);
      const answers = await Promise.all(before);
      await until({ what: 'the CA to have its database again', seconds: 30 }, () =>
        ca.client.health().then(
          () => true,
          () => false,
        ),
      );
      const after = await Promise.all(ids.map((id) => ca.client.issue(order(id, csr))));
      for (const [at, answer] of answers.entries()) if (answer !== null) expect(after[at]).toEqual(answer);
      const { rows } = await ca.owner.query(
        "SELECT count(*)::int AS rows, count(DISTINCT serial_number)::int AS serials FROM ca.certificates WHERE request_id LIKE $1 AND state = 'issued'",
        [`round-${round}-%`],
      );
      expect(rows).toEqual([{ rows: ids.length, serials: ids.length }]);
    }
  }, 600_000);
});
