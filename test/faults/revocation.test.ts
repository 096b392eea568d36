import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newCode, rawDevice } from '../integration/cms/raw-device.ts';
import { runMatrix, spread, whole } from '../support/crash/matrix.ts';
import { startTappedSystem, type TappedSystem } from '../support/crash/tapped-system.ts';
import { killAt, type Victim } from '../support/crash/victim.ts';
import { rest } from '../support/rest.ts';
import { seedCertificates } from '../support/seed-certificates.ts';

/** kill -9 at every step of a hold, its release and a revocation; and of the worker and cms in a batch of hundreds. */
let tapped: TappedSystem;
let like: { certificateId: string };
let personId: string;
beforeAll(async () => {
  tapped = await startTappedSystem();
  const { code, person } = await newCode(tapped.system);
  personId = person.id;
  like = await rawDevice(tapped.system).enrol(code);
}, 120_000);
afterAll(() => tapped?.remove());

const REVOKED = { status: 'revoked', state: 'confirmed' };
const officer = () => rest(tapped.url('command'), tapped.system.tokens['security-officer']);
const rows = (sql: string, id: string) => tapped.system.query(sql, [id]);

describe('of one certificate', () => {
  const STEPS = [
    ['holds', { comment: 'Not found' }],
    ['releases', { comment: 'Found' }],
    ['revocations', { reason: 'keyCompromise', comment: 'Stolen' }],
  ] as const;
  const ask = ([what, body]: (typeof STEPS)[number], id: string) => officer().post(`/certificates/${id}/${what}`, body);
  const newCertificate = async () => {
    const [id] = (await seedCertificates(tapped.system, like.certificateId, 1)).ids;
    return id as string;
  };
  /** What was cut off is not repeated: only what was not asked for yet is. */
  const act = async (id: string) => {
    for (const step of STEPS) await ask(step, id).catch(() => undefined);
  };

  it('nothing is forgotten and nothing done twice', async () => {
    const { cms, ca, postgres } = tapped.victims;
    const victims: Readonly<Record<string, Victim>> = { cms, ca, postgres };
    const first = await newCertificate();
    const points = await tapped.crossings.trace(() => act(first));
    await completes(first);
    await runMatrix({
      ...{ title: 'revocation', points, victims: Object.keys(victims) },
      sample: spread({ points, victims: Object.keys(victims) }, 3),
      judged: 'the worker and the steps that were left completed it; the CA and cms say the same, each step once',
      async kill(point, victim) {
        const id = await newCertificate();
        await killAt(tapped.crossings, point, victims[victim] as Victim, () => act(id));
        await completes(id);
      },
    });
  }, 7_200_000);

  async function completes(id: string): Promise<void> {
    await tapped.ready();
    await settled(id);
    const { status } = (await rows('SELECT status FROM certificates WHERE id = $1', id))[0];
    // The last step may never have reached cms.
    if (status !== 'revoked') expect((await ask(STEPS[2], id)).status).toBe(201);
    await settled(id);
    expect(
      await rows(
        'SELECT c.status, r.state, r.reason FROM certificates c JOIN revocations r ON r.certificate_id = c.id WHERE c.id = $1',
        id,
      ),
    ).toEqual([{ status: 'revoked', state: 'confirmed', reason: 'keyCompromise' }]);
    const told = await rows(
      `SELECT a.status FROM ca.status_changes a JOIN certificates c ON a.serial_number = decode(c.serial_number, 'hex')
       WHERE c.id = $1 ORDER BY a.number`,
      id,
    );
    const holds = await rows('SELECT act, state FROM certificate_holds WHERE certificate_id = $1 ORDER BY id', id);
    const confirmed = holds.filter(({ state }) => state === 'confirmed').map((hold) => hold.act);
    const said = told.map((change) => change.status as string);
    const wanted = [
      ...holds.map(({ act, state }) => ({ status: act === 'hold' ? 'on-hold' : 'good', state })),
      REVOKED,
    ];
    // Whether the CA heard of what was superseded before it was answered, only the CA can say: it may have, once.
    const heard: string[] = [];
    for (const { status, state } of wanted) {
      if (state !== 'superseded' || said[heard.length] === status) heard.push(status);
    }
    expect(said).toEqual(heard);
    const events = await rows(
      "SELECT action FROM audit_events WHERE certificate_id = $1 AND outcome = 'done' ORDER BY id",
      id,
    );
    const done = events.map((event) => event.action).filter((action) => !action.endsWith('-requested'));
    expect(done).toEqual([
      ...confirmed.map((act) => (act === 'hold' ? 'certificate.held' : 'certificate.released')),
      'certificate.revoked',
    ]);
    expect(events.filter((event) => event.action === 'certificate.revocation-requested')).toHaveLength(1);
  }

  /** The worker goes on now with what was cut off, and not when a request that is still at it would have had its time. */
  async function settled(id: string): Promise<void> {
    const left = async () => {
      await rows(`UPDATE revocations SET next_attempt_at = now() WHERE certificate_id = $1 AND state = 'proposed'`, id);
      await rows(
        `UPDATE certificate_holds SET next_attempt_at = now() WHERE certificate_id = $1 AND state = 'proposed'`,
        id,
      );
      return rows(
        `SELECT 1 FROM revocations WHERE certificate_id = $1 AND state = 'proposed'
         UNION ALL SELECT 1 FROM certificate_holds WHERE certificate_id = $1 AND state = 'proposed'`,
        id,
      );
    };
    await expect.poll(() => left().catch(() => ['away']), { timeout: 60_000, interval: 200 }).toEqual([]);
  }
});

describe('of hundreds', () => {
  const COUNT = whole ? 2000 : 300;
  const KILLS = whole ? 30 : 3;

  it('a batch ends with each of them revoked once, whoever dies in it', { timeout: 600_000 }, async () => {
    const { worker, cms } = tapped.system.processes;
    const { ids } = await seedCertificates(tapped.system, like.certificateId, COUNT);
    const select = { personId };
    const planned = (await officer().post('/revocation-batches', { select, reason: 'superseded', comment: 'All' }))
      .body;
    expect(planned.counts.pending).toBe(COUNT + 1);
    expect((await officer().post(`/revocation-batches/${planned.id}/runs`)).status).toBe(202);
    const state = async () => (await rows('SELECT state FROM operations WHERE id = $1', planned.id))[0].state;
    const progress = async () =>
      (
        await rows(
          `SELECT (SELECT count(*)::int FROM operation_items WHERE operation_id = $1 AND state <> 'pending')
             + (SELECT count(*)::int FROM revocations WHERE state = 'confirmed') AS n`,
          planned.id,
        )
      )[0].n;
    for (let kills = 0; kills < KILLS && (await state()) === 'running'; kills += 1) {
      const before = await progress();
      // Somewhere in the work, and never between two deaths without any.
      await expect
        .poll(async () => (await progress()) > before || (await state()) === 'done', { timeout: 30_000, interval: 20 })
        .toBe(true);
      const victims = kills % 3 === 2 ? [worker, cms] : [worker];
      await Promise.all(victims.map((victim) => victim.kill()));
      for (const victim of victims) await victim.start();
    }
    await tapped.ready();
    await expect.poll(state, { timeout: 120_000, interval: 200 }).toBe('done');

    const { counts, requestId } = (await officer().get(`/operations/${planned.id}`)).body;
    expect(counts).toMatchObject({ pending: 0, decided: 0, done: COUNT + 1, failed: 0, added: 0 });
    const [cms_] = await tapped.system.query(
      `SELECT count(*)::int AS n, count(DISTINCT c.id)::int AS certificates FROM certificates c
       JOIN revocations r ON r.certificate_id = c.id AND r.state = 'confirmed' AND r.reason = 'superseded'
       WHERE c.status = 'revoked' AND c.id = ANY ($1)`,
      [[...ids, like.certificateId]],
    );
    expect(cms_).toEqual({ n: COUNT + 1, certificates: COUNT + 1 });
    const [ca] = await tapped.system.query(
      `SELECT count(*)::int AS n, count(DISTINCT serial_number)::int AS certificates FROM ca.status_changes WHERE reason = 'superseded'`,
    );
    expect(ca).toEqual({ n: COUNT + 1, certificates: COUNT + 1 });
    for (const action of ['certificate.revocation-requested', 'certificate.revoked']) {
      const [events] = await tapped.system.query(
        'SELECT count(*)::int AS n, count(DISTINCT certificate_id)::int AS certificates FROM audit_events WHERE request_id = $1 AND action = $2',
        [requestId, action],
      );
      expect(events, action).toEqual({ n: COUNT + 1, certificates: COUNT + 1 });
    }
  });
});
