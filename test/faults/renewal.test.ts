import { afterAll, beforeAll, expect, it } from 'vitest';
import { newCode, type RawDevice, rawDevice } from '../integration/cms/raw-device.ts';
import { runMatrix, spread } from '../support/crash/matrix.ts';
import { startTappedSystem, type TappedSystem } from '../support/crash/tapped-system.ts';
import { killAt, type Victim } from '../support/crash/victim.ts';
import { rest } from '../support/rest.ts';

/** kill -9 of cms, the CA and PostgreSQL at every step of a renewal: the request, the certificate, its confirmation. */
let tapped: TappedSystem;
beforeAll(async () => {
  tapped = await startTappedSystem();
}, 120_000);
afterAll(() => tapped?.remove());

interface Due {
  readonly device: RawDevice;
  readonly cardId: string;
  readonly old: string;
}

/** A card whose certificate has had eleven of its twelve months. */
async function dueCard(): Promise<Due> {
  const { code } = await newCode(tapped.system);
  const device = rawDevice(tapped.system);
  const { cardId, certificateId: old } = await device.enrol(code);
  await tapped.system.query(
    "UPDATE certificates SET not_before = not_before - interval '340 days', not_after = not_after - interval '340 days' WHERE id = $1",
    [old],
  );
  return { device, cardId, old };
}

/** What the agent does: it asks, keeps what it got, and confirms. Ends where an answer is missing. */
async function renew({ device, cardId, old }: Due): Promise<void> {
  const api = rest(tapped.url('agent'), device.token);
  const body = { container: 'sign-in', replaces: old };
  const asked = await api.post(`/agent/cards/${cardId}/certificate-requests`, body);
  if (asked.status !== 201) throw new Error(`${asked.status} ${JSON.stringify(asked.body)}`);
  const confirmed = await api.post(`/agent/cards/${cardId}/certificates/${asked.body.certificateId}/confirmations`, {});
  if (confirmed.status !== 201) throw new Error(`${confirmed.status} ${JSON.stringify(confirmed.body)}`);
}

const stateOf = async ({ old }: Due) =>
  (await tapped.system.query('SELECT status FROM certificates WHERE id = $1', [old]))[0].status as string;

/** The same again, as an agent does at its next contact, until the old certificate has made way. */
async function completes(due: Due): Promise<void> {
  await tapped.ready();
  const again = async () => {
    if ((await stateOf(due)) !== 'revoked') await renew(due).catch(() => undefined);
    return stateOf(due);
  };
  await expect.poll(() => again().catch(() => 'away'), { timeout: 60_000, interval: 300 }).toBe('revoked');

  const mine = await tapped.system.query(
    `SELECT c.status, a.state, encode(a.certificate, 'hex') = encode(c.der, 'hex') AS same,
       (SELECT count(*)::int FROM audit_events e WHERE e.certificate_id = c.id AND e.action = 'certificate.issued' AND e.outcome = 'done') AS issued
     FROM certificates c JOIN ca.certificates a ON a.request_id = c.request_id WHERE c.card_id = $1 ORDER BY c.created_at`,
    [due.cardId],
  );
  const told = { state: 'issued', same: true, issued: 1 };
  expect(mine).toEqual([
    { status: 'revoked', ...told },
    { status: 'active', ...told },
  ]);
  const strangers = await tapped.system.query(
    `SELECT a.request_id FROM ca.certificates a LEFT JOIN certificates c USING (request_id)
     WHERE c.id IS NULL AND a.profile NOT IN ('root', 'issuing', 'ocsp-responder')`,
  );
  expect(strangers).toEqual([]);
}

it('one new certificate, recorded on both sides, and the old one revoked', async () => {
  const { cms, ca, postgres } = tapped.victims;
  const victims: Readonly<Record<string, Victim>> = { cms, ca, postgres };
  const first = await dueCard();
  const points = await tapped.crossings.trace(() => renew(first));
  await completes(first);
  const axes = { points, victims: Object.keys(victims) };
  await runMatrix({
    ...{ title: 'renewal', ...axes, sample: spread(axes, 2) },
    judged:
      'the same request again completed it: two certificates in all, both on record at cms and the CA, one in force',
    async kill(point, victim) {
      const due = await dueCard();
      await killAt(tapped.crossings, point, victims[victim] as Victim, () => renew(due).catch(() => undefined));
      await completes(due);
    },
  });
}, 7_200_000);
