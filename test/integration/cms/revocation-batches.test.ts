import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seedCertificates } from '../../support/seed-certificates.ts';
import { startTestSystem, type TestSystem } from '../../support/system.ts';
import { expectStatus, newCode, rawDevice, refusal } from './raw-device.ts';

let system: TestSystem;
let card: { cardId: string; certificateId: string };
let personId: string;
beforeAll(async () => {
  system = await startTestSystem();
  const made = await newCode(system);
  personId = made.person.id;
  card = await rawDevice(system).enrol(made.code);
}, 120_000);
afterAll(async () => {
  await system?.remove();
});

const officer = () => system.as('security-officer');
const auditor = () => system.as('auditor');
const plan = (select: unknown, more: object = {}) =>
  officer().post('/revocation-batches', { select, reason: 'keyCompromise', comment: 'Keys were copied', ...more });
const run = (id: string) => officer().post(`/revocation-batches/${id}/runs`);
const operation = async (id: string) => expectStatus(200, await auditor().get(`/operations/${id}`)).body;
const done = (id: string) =>
  expect.poll(async () => (await operation(id)).state, { timeout: 40_000, interval: 200 }).toBe('done');
const items = async (id: string, query = '') =>
  expectStatus(200, await auditor().get(`/operations/${id}/items?limit=200${query}`)).body.items;

describe('a batch of revocations', () => {
  it('is looked at first, then run as it was, and leaves one story', async () => {
    const seeded = await seedCertificates(system, card.certificateId, 30);
    await system.query(`UPDATE certificates SET not_after = now() - interval '1 day' WHERE id = $1`, [seeded.ids[0]]);
    const planned = expectStatus(201, await plan({ personId, certificateProfile: 'smart-card-sign-in' })).body;
    expect(planned).toMatchObject({ state: 'planned', counts: { pending: 30, skipped: 1, done: 0 } });
    expect(planned.allowedActions.map((one: { allowed: boolean }) => one.allowed)).toEqual([true, true]);
    expect(await items(planned.id, '&state=skipped')).toMatchObject([
      { code: 'certificate-expired', certificate: { id: seeded.ids[0] } },
    ]);
    const [{ count }] = await system.query('SELECT count(*)::int FROM revocations');
    expect(count).toBe(0);
    expect(refusal(await system.as('helpdesk').post(`/revocation-batches/${planned.id}/runs`))).toBe(
      '403 permission-missing',
    );
    // What comes between the look and the run belongs to the selection, too.
    const late = await seedCertificates(system, card.certificateId, 2);

    const started = expectStatus(202, await run(planned.id));
    expect(started.headers.get('location')).toBe(`/api/v1/operations/${planned.id}`);
    expect(refusal(await run(planned.id))).toBe('409 operation-running');
    await done(planned.id);
    const finished = await operation(planned.id);
    expect(finished).toMatchObject({
      progress: { done: 32, failed: 0, total: 32 },
      counts: { pending: 0, decided: 0, skipped: 1, added: 2 },
    });
    expect(refusal(await run(planned.id))).toBe('409 operation-done');
    const all = [card.certificateId, ...seeded.ids.slice(1), ...late.ids];
    const rows = await system.query(
      `SELECT c.id, c.status, r.state, r.reason, (SELECT count(*)::int FROM ca.status_changes a
         WHERE a.serial_number = decode(lpad(c.serial_number, 32, '0'), 'hex') AND a.reason = r.reason) AS told
       FROM certificates c JOIN revocations r ON r.certificate_id = c.id`,
    );
    expect(rows.map(({ id }) => id).sort()).toEqual(all.sort());
    for (const row of rows) {
      expect(row).toMatchObject({ status: 'revoked', state: 'confirmed', reason: 'keyCompromise', told: 1 });
    }

    const story = (await auditor().get(`/audit/events?requestId=${finished.requestId}&limit=200`)).body.items;
    const count_ = (action: string) => story.filter((event: { action: string }) => event.action === action).length;
    expect(count_('certificate.revocation-requested')).toBe(32);
    expect(count_('certificate.revoked')).toBe(32);
    expect(story.at(-1)).toMatchObject({ action: 'revocation-batch.started', reason: 'Keys were copied' });
    expect(count_('revocation-batch.finished')).toBe(1);
  });

  it('from a list takes serial numbers and thumbprints, once each, and tells of every other line', async () => {
    const { ids, serials, thumbprints } = await seedCertificates(system, card.certificateId, 3);
    const [first, second, third] = serials as [string, string, string];
    const colons = first.toUpperCase().match(/../g)?.join(':');
    const list = [
      'serialNumber;note',
      `"00:${colons}";stolen`,
      `0x${second}`,
      thumbprints[2],
      `${first},again`,
      '',
      '# a remark',
      'ffffffffffffffffffffffffffffff01',
      'f'.repeat(64),
      '=cmd|calc',
    ].join('\r\n');
    const planned = expectStatus(201, await plan({ list })).body;
    expect(planned.input).toMatchObject({ select: { lines: 7 }, alsoIssuedMeanwhile: false });
    expect(
      (await items(planned.id)).map((one: { position: number; code: string; certificate: { id: string } | null }) => [
        one.position,
        one.code ?? one.certificate?.id,
      ]),
    ).toEqual([
      [2, ids[0]],
      [3, ids[1]],
      [4, ids[2]],
      [5, 'line-repeated'],
      [8, 'serial-number-unknown'],
      [9, 'thumbprint-unknown'],
      [10, 'line-malformed'],
    ]);
    expect(third).toHaveLength(32);
    expectStatus(202, await run(planned.id));
    await done(planned.id);
    expect((await operation(planned.id)).progress).toEqual({ done: 3, failed: 0, total: 3 });
  });

  it('is refused where it says nothing, or too much', async () => {
    expect(refusal(await plan({}))).toBe('422 selection-empty');
    expect(refusal(await plan({ personId, list: 'aa' }))).toBe('422 list-with-criteria');
    expect(refusal(await plan({ list: '# nothing\n' }))).toBe('422 list-empty');
    expect(refusal(await plan({ list: 'aa\n'.repeat(100_001) }))).toBe('422 list-too-long');
    expect(refusal(await plan({ personId }, { invalidityDate: new Date(Date.now() + 60_000).toISOString() }))).toBe(
      '422 invalidity-date-in-future',
    );
    const { id } = expectStatus(201, await plan({ personId })).body;
    expect(refusal(await run(id))).toBe('409 nothing-to-do');
    expect(refusal(await run(card.cardId))).toBe('404 not-found');
  });

  it('of a hundred thousand lines is planned in one request', async () => {
    const lines = Array.from({ length: 100_000 }, (_, n) => n.toString(16).padStart(32, 'e'));
    const planned = expectStatus(201, await plan({ list: lines.join('\n') })).body;
    expect(planned.counts).toMatchObject({ pending: 0, skipped: 100_000 });
    const last = await auditor().get(`/operations/${planned.id}/items?cursor=${btoa('99998')}`);
    expect(last.body.items.map((one: { position: number }) => one.position)).toEqual([99_999, 100_000]);
  });

  it('is cancelled, or forgotten when nobody runs it', async () => {
    await seedCertificates(system, card.certificateId, 2);
    const cancel = (id: string) => officer().post(`/operations/${id}/cancellations`, { reason: 'The wrong person' });
    const first = expectStatus(201, await plan({ personId })).body.id;
    expect(expectStatus(201, await cancel(first)).body.state).toBe('cancelled');
    expect(refusal(await cancel(first))).toBe('409 operation-cancelled');
    expect(refusal(await run(first))).toBe('409 operation-cancelled');
    const second = expectStatus(201, await plan({ personId })).body.id;
    await system.query(`UPDATE operations SET expires_at = now() WHERE id = $1`, [second]);
    expect(refusal(await run(second))).toBe('409 operation-expired');
    await expect.poll(() => items(second), { timeout: 20_000, interval: 200 }).toEqual([]);
    expect((await operation(second)).state).toBe('expired');
  });
});
