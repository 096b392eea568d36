import { randomBytes, randomUUID } from 'node:crypto';
import { until } from '@cardwright/infra';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { nothingChanges } from '../../support/snapshot.ts';
import { startTestSystem, type TestSystem } from '../../support/system.ts';
import { bothRecordsAgree } from '../../support/vault-audit.ts';
import { type Begun, expectStatus, newCode, type RawDevice, rawDevice, refusal, tpmChallenge } from './raw-device.ts';

let system: TestSystem;
let device: RawDevice;
let card: Begun;

beforeAll(async () => {
  system = await startTestSystem();
  // Stands for the crash between the vault's last word and the one of cms: that one can't be written.
  await system.query(`CREATE FUNCTION cut_off() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'cut off'; END $$`);
});
afterAll(() => system.remove());
beforeEach(async () => {
  device = rawDevice(system);
  card = await device.enrol((await newCode(system)).code);
});

const officer = () => system.as('security-officer');
const request = (cardId = card.cardId, change: object = {}) =>
  officer().post(`/cards/${cardId}/administrator-key-changes`, {
    cause: 'periodic',
    reason: 'keys of 2024',
    ...change,
  });
const requested = async (cardId = card.cardId) => expectStatus(201, await request(cardId)).body;
const changeOf = async (id: string) => (await system.as('auditor').get(`/administrator-key-changes/${id}`)).body;
const cardOf = async (cardId = card.cardId) => (await system.as('auditor').get(`/cards/${cardId}`)).body;
const offers = (taskId: string, by = device, parent = by.parent) =>
  by.api.post(`/agent/tasks/${taskId}/offers`, { parentPublic: Buffer.from(parent.public).toString('base64') });
const report = (taskId: string, body: object, by = device) => by.api.post(`/agent/tasks/${taskId}/results`, body);
const says = (administratorKeyVersion: number, cardId = card.cardId) =>
  device.checkIn([{ cardId, triesLeft: 5, blocked: false, administratorKeyVersion }]);
/** States of the card's keys in the vault, and whether their bytes are there. */
const keysOf = async (cardId = card.cardId) =>
  (
    await system.query(
      'SELECT key_version, state, sealed IS NOT NULL AS kept FROM vault.administrator_keys WHERE card_id = $1 ORDER BY 1',
      [cardId],
    )
  ).map(({ key_version, state, kept }) => `${key_version} ${state}${kept ? '' : ', destroyed'}`);
const refused = (...cases: readonly (readonly [code: string, act: () => ReturnType<typeof request>])[]) =>
  nothingChanges(system, async () => {
    for (const [code, act] of cases) expect(refusal(await act())).toBe(code);
  });
/** Requested, delivered, offered. */
async function offered(cardId = card.cardId) {
  const change = await requested(cardId);
  expect((await device.checkIn()).tasks).toMatchObject([{ taskId: change.taskId, kind: 'change-administrator-key' }]);
  const { keyOffer } = expectStatus(201, await offers(change.taskId)).body;
  return { ...change, keyOffer };
}
async function rotated() {
  const change = await offered();
  expect((await report(change.taskId, { outcome: 'done', keyVersion: change.keyOffer.keyVersion })).body.state).toBe(
    'done',
  );
  return change;
}
/** The worker leaves alone what may still be under way. */
const age = (id: string) =>
  system.query(`UPDATE key_changes SET reported_at = reported_at - interval '1 minute' WHERE id = $1`, [id]);

describe('a change of a TPM card’s key', () => {
  it('is requested, offered to its device alone, put on the card, and confirmed; the old key is destroyed', async () => {
    const { id, taskId } = await requested();
    expect(await changeOf(id)).toMatchObject({ kind: 'rotation', state: 'requested', fromVersion: 1, toVersion: null });
    expect(await device.checkIn()).toMatchObject({ tasks: [{ taskId, cardId: card.cardId, cardKind: 'tpm' }] });
    const given = await Promise.all([offers(taskId), offers(taskId)]);
    const [first, second] = given.map((answer) => expectStatus(201, answer).body.keyOffer);
    expect(first).toMatchObject({ kind: 'successor', approval: expect.any(Object), rehearsal: expect.any(Object) });
    expect(second).toEqual(first);
    expect((await offers(taskId)).body.keyOffer).toEqual(first);
    const { keyVersion } = first;
    expect(await changeOf(id)).toMatchObject({ state: 'offered', toVersion: keyVersion });
    expect(await keysOf()).toContain('1 confirmed');
    expect(await keysOf()).toContain(`${keyVersion} proposed`);
    const done = await Promise.all([1, 2, 3].map(() => report(taskId, { outcome: 'done', keyVersion })));
    expect(done.map(({ status, body }) => [status, body.state])).toEqual([1, 2, 3].map(() => [200, 'done']));
    expect(await changeOf(id)).toMatchObject({ state: 'confirmed', confirmedAt: expect.any(String) });
    const now = await cardOf();
    expect(now).toMatchObject({ keyVersion, state: 'active' });
    expect(Date.parse(now.keySetAt)).toBeGreaterThan(Date.parse(now.stateChangedAt));
    const keys = await keysOf();
    expect(keys).toContain('1 superseded, destroyed');
    expect(keys.filter((key) => !key.endsWith('destroyed'))).toEqual([`${keyVersion} confirmed`]);
    // What the device was given opens with its storage key, and is what the vault has now.
    const bytes = (text: string) => Buffer.from(text, 'base64');
    const unwrapped = device.parent.unwrap({
      keyVersion,
      name: bytes(first.name),
      public: bytes(first.public),
      duplicate: bytes(first.duplicate),
      inSymSeed: bytes(first.inSymSeed),
    });
    expect(unwrapped.key.equals(card.administratorKey)).toBe(false);
    const session = expectStatus(
      201,
      await system.as('helpdesk').post(`/cards/${card.cardId}/unblock-sessions`, {
        verification: { method: 'in-person', evidence: 'badge' },
        reason: 'forgot the PIN',
      }),
    ).body;
    const challenge = tpmChallenge(card.cardSerial).text;
    const answer = await system.as('helpdesk').post(`/unblock-sessions/${session.id}/responses`, { challenge });
    expect(answer.status).toBe(201);
    await bothRecordsAgree(system);
  });

  it('is refused after suspicion, with the way out, for a TPM card', async () => {
    const answer = await request(card.cardId, { cause: 'suspicion' });
    expect(refusal(answer)).toBe('422 key-change-does-not-help');
    expect(answer.body.detail).toMatch(/Reissue this card/);
    await refused(['422 key-change-does-not-help', () => request(card.cardId, { cause: 'suspicion' })]);
  });

  it('is refused where it can’t be, and where one is under way', async () => {
    await refused(
      ['404 not-found', () => request(randomUUID())],
      ['409 card-already-taken-over', () => request(card.cardId, { cause: 'take-over' })],
      ['400 field-invalid', () => request(card.cardId, { cause: 'boredom' })],
      ['400 field-invalid', () => request(card.cardId, { reason: ' ' })],
      ['400 field-unknown', () => request(card.cardId, { keyVersion: 7 })],
    );
    for (const [column, value, code] of [
      ['key_strategy', 'random-not-stored', 'administrator-key-not-stored'],
      ['device_id', null, 'card-without-device'],
      ['state', 'suspended', 'card-not-active'],
    ] as const) {
      const [{ was }] = await system.query(`SELECT ${column} AS was FROM cards WHERE id = $1`, [card.cardId]);
      await system.query(`UPDATE cards SET ${column} = $2 WHERE id = $1`, [card.cardId, value]);
      await refused([`409 ${code}`, () => request()]);
      const act = (await system.as('security-officer').get(`/cards/${card.cardId}`)).body.allowedActions;
      expect(act).toContainEqual(expect.objectContaining({ action: 'change-administrator-key', allowed: false }));
      await system.query(`UPDATE cards SET ${column} = $2 WHERE id = $1`, [card.cardId, was]);
    }
    await system.query(
      `WITH made AS (INSERT INTO tasks (id, device_id, card_id, kind, state, payload, finished_at, created_by_id, created_by_name)
           SELECT gen_random_uuid(), device_id, id, 'change-administrator-key', 'done', '{}', now(), 'a test', 'a test'
           FROM cards, generate_series(1, 16) WHERE id = $1 RETURNING id)
         INSERT INTO key_changes (id, card_id, task_id, kind, cause, state, from_version, to_version, offer, offered_at,
           confirmed_at, requested_by_id, requested_by_name)
         SELECT gen_random_uuid(), $1, id, 'rotation', 'periodic', 'confirmed', 1, 2, '{}', now(), now(), 'a test', 'a test'
           FROM made`,
      [card.cardId],
    );
    await refused(['409 too-many-successions', () => request()]);
    await system.query('DELETE FROM key_changes WHERE card_id = $1', [card.cardId]);
    const twice = await Promise.all([request(), request()]);
    expect(twice.map(refusal).toSorted()).toEqual(['201 undefined', '409 key-change-open']);
    await refused(['409 key-change-open', () => request()]);
  });

  it('is cancelled before the device was given a key, and not after', async () => {
    const cancel = (id: string) =>
      officer().post(`/administrator-key-changes/${id}/cancellations`, { reason: 'wrong card' });
    await refused(['404 not-found', () => cancel(randomUUID())]);
    const first = await requested();
    expect(expectStatus(201, await cancel(first.id)).body).toMatchObject({ state: 'cancelled' });
    expect((await device.checkIn()).tasks).toEqual([]);
    await refused(
      ['409 key-change-closed', () => offers(first.taskId)],
      ['409 key-change-closed', () => cancel(first.id)],
    );
    const { id } = await offered();
    await refused(['409 key-change-offered', () => cancel(id)]);
    expect((await officer().get(`/administrator-key-changes/${id}`)).body.allowedActions).toMatchObject([
      { action: 'cancel', allowed: false },
      { action: 'give-up', allowed: true },
    ]);
  });

  it('is given to no other device, and wrapped to no other TPM', async () => {
    const thief = rawDevice(system);
    await thief.enrol((await newCode(system)).code);
    const { taskId } = await requested();
    await refused(['404 not-found', () => offers(taskId, thief)], ['404 not-found', () => offers(randomUUID())]);
    // With the device's own token, which was stolen: wrapped to the thief's storage key.
    await refused(['422 tpm-parent-of-another-device', () => offers(taskId, device, thief.parent)]);
    const malformed = { parentPublic: randomBytes(40).toString('base64') };
    await refused(['422 tpm-structure-malformed', () => device.api.post(`/agent/tasks/${taskId}/offers`, malformed)]);
    const { keyOffer } = expectStatus(201, await offers(taskId)).body;
    await refused(['404 not-found', () => offers(taskId, thief)]);
    await device.checkIn();
    await refused(['404 not-found', () => report(taskId, { outcome: 'done', keyVersion: keyOffer.keyVersion }, thief)]);
  });

  it('is not done before there is a key, nor with another key', async () => {
    const { taskId } = await requested();
    await device.checkIn();
    await refused(
      ['409 key-change-not-offered', () => report(taskId, { outcome: 'done' })],
      ['422 key-version-mismatch', () => report(taskId, { outcome: 'done', keyVersion: 7 })],
    );
    const { keyOffer } = expectStatus(201, await offers(taskId)).body;
    await refused(
      ['422 key-version-mismatch', () => report(taskId, { outcome: 'done', keyVersion: 1 })],
      ['422 key-version-mismatch', () => report(taskId, { outcome: 'failed', keyVersion: 7 })],
    );
    const challenge = randomBytes(16).toString('base64');
    const answer = { keyVersion: keyOffer.keyVersion, challenge };
    await refused([
      '422 key-change-of-a-tpm-card',
      () => device.api.post(`/agent/tasks/${taskId}/card-answers`, answer),
    ]);
  });

  it('whose report was lost is confirmed by the next check-in; the old version is told again', async () => {
    const { id, taskId, keyOffer } = await offered();
    expect((await says(1)).tasks).toMatchObject([{ taskId }]);
    expect((await offers(taskId)).body.keyOffer).toEqual(keyOffer);
    expect((await says(keyOffer.keyVersion)).tasks).toEqual([]);
    expect(await changeOf(id)).toMatchObject({ state: 'confirmed' });
    expect(await cardOf()).toMatchObject({ keyVersion: keyOffer.keyVersion });
    expect((await report(taskId, { outcome: 'done' })).body).toEqual({ state: 'done' });
  });

  it('is given again to a device whose store is older than the change, one change after the other', async () => {
    const first = await rotated();
    const second = await rotated();
    const third = await requested();
    // The newest waits: its device could do nothing with it yet.
    expect((await says(1)).tasks.map(({ taskId }) => taskId)).toEqual([first.taskId]);
    expect((await offers(first.taskId)).body.keyOffer).toEqual(first.keyOffer);
    expect((await report(first.taskId, { outcome: 'done' })).body).toEqual({ state: 'done' });
    expect((await says(first.keyOffer.keyVersion)).tasks.map(({ taskId }) => taskId)).toEqual([second.taskId]);
    expect((await offers(second.taskId)).body.keyOffer).toEqual(second.keyOffer);
    expect((await says(second.keyOffer.keyVersion)).tasks.map(({ taskId }) => taskId)).toEqual([third.taskId]);
    // Versions that never were lead to nothing.
    expect((await says(999)).tasks.map(({ taskId }) => taskId)).toEqual([third.taskId]);
    expect(await cardOf()).toMatchObject({ keyVersion: second.keyOffer.keyVersion });
  });

  it('that failed leaves the old key, and is confirmed after all when the card turns out to have the new one', async () => {
    const before = await requested();
    await device.checkIn();
    const why = { code: 'store-locked', detail: 'Another command is at work.' };
    expect((await report(before.taskId, { outcome: 'failed', ...why })).body).toEqual({ state: 'failed' });
    expect(await changeOf(before.id)).toMatchObject({ state: 'failed', failure: why });
    const { id, taskId, keyOffer } = await offered();
    expect((await report(taskId, { outcome: 'failed', code: 'successor-refused-by-card' })).body.state).toBe('failed');
    expect(await changeOf(id)).toMatchObject({ state: 'failed', failure: { code: 'successor-refused-by-card' } });
    expect(await cardOf()).toMatchObject({ keyVersion: 1 });
    await refused(['409 key-change-closed', () => offers(taskId)]);
    await says(keyOffer.keyVersion);
    expect(await changeOf(id)).toMatchObject({ state: 'confirmed' });
    expect(await cardOf()).toMatchObject({ keyVersion: keyOffer.keyVersion });
  });

  it('ends with the card', async () => {
    const { id, taskId, keyOffer } = await offered();
    expectStatus(201, await officer().post(`/cards/${card.cardId}/retirements`, { reason: 'left' }));
    expect(await changeOf(id)).toMatchObject({ state: 'cancelled' });
    await refused(['409 key-change-closed', () => offers(taskId)]);
    expect((await report(taskId, { outcome: 'done', keyVersion: keyOffer.keyVersion })).body.state).toBe('cancelled');
    expect((await device.checkIn()).tasks).toMatchObject([{ kind: 'destroy' }]);
    expect(await keysOf()).toContain('1 confirmed');
  });
});

describe('a confirmation that was cut off', () => {
  const confirmedSoon = (id: string) =>
    until(
      { what: 'the worker to complete the change', seconds: 20 },
      async () => (await changeOf(id)).state === 'confirmed',
    );

  it('after the vault had it is completed by the worker, and both records agree', async () => {
    const { id, taskId, keyOffer } = await offered();
    const { keyVersion } = keyOffer;
    await system.query(`CREATE TRIGGER cut_off BEFORE UPDATE ON key_changes FOR EACH ROW
      WHEN (NEW.id = '${id}' AND NEW.state = 'confirmed') EXECUTE FUNCTION cut_off()`);
    expect((await report(taskId, { outcome: 'done', keyVersion })).body).toEqual({ state: 'done' });
    expect(await changeOf(id)).toMatchObject({ state: 'offered' });
    expect(await keysOf()).toEqual(['1 superseded, destroyed', `${keyVersion} confirmed`]);
    expect(refusal(await request())).toBe('409 key-change-open');
    await system.query('DROP TRIGGER cut_off ON key_changes');
    await age(id);
    await confirmedSoon(id);
    expect(await cardOf()).toMatchObject({ keyVersion });
    await bothRecordsAgree(system);
  });

  it('by the death of the vault and of cms is completed by the worker, and both records agree', async () => {
    const { id, taskId, keyOffer } = await offered();
    await system.processes.vault.kill();
    // What the device said is stored before it is answered, whoever is away.
    expect((await report(taskId, { outcome: 'done', keyVersion: keyOffer.keyVersion })).body).toEqual({
      state: 'done',
    });
    await system.processes.cms.kill();
    await system.processes.vault.start();
    await system.processes.cms.start();
    await age(id);
    await confirmedSoon(id);
    expect(await keysOf()).toEqual(['1 superseded, destroyed', `${keyOffer.keyVersion} confirmed`]);
    await bothRecordsAgree(system);
  });
});

describe('keys that are older than the profile wants', () => {
  it('are changed by the worker, one change a card, where the device checks in', async () => {
    const silent = rawDevice(system);
    const other = await silent.enrol((await newCode(system)).code);
    await device.checkIn();
    const both = [card.cardId, other.cardId];
    await system.query(`UPDATE cards SET key_set_at = now() - interval '3 days' WHERE id = ANY ($1)`, [both]);
    const rotate = (keyRotationDays: number | null, profile = 'tpm-default') =>
      officer().post(`/card-profiles/${profile}/key-rotations`, { keyRotationDays, reason: 'policy' });
    await refused(['404 not-found', () => rotate(2, 'no-such')], ['400 field-invalid', () => rotate(0)]);
    expect(expectStatus(201, await rotate(2)).body).toMatchObject({ name: 'tpm-default', keyRotationDays: 2 });
    try {
      const { items } = await until({ what: 'the worker to ask for a change', seconds: 20 }, async () => {
        const { body } = await system.as('auditor').get(`/cards/${card.cardId}/administrator-key-changes`);
        return body.items.length > 0 ? body : null;
      });
      expect(items).toMatchObject([{ cause: 'periodic', state: 'requested', requestedBy: { name: 'worker' } }]);
      // The device then does it, and the key is young again: no other change follows.
      const [task] = (await device.checkIn()).tasks;
      const taskId = task?.taskId ?? '';
      expectStatus(201, await offers(taskId));
      await report(taskId, { outcome: 'done' });
      const worked = "SELECT 1 FROM cards WHERE id = $1 AND key_set_at > now() - interval '1 hour'";
      expect(await system.query(worked, [card.cardId])).toHaveLength(1);
      const silentChanges = await system.as('auditor').get(`/cards/${other.cardId}/administrator-key-changes`);
      expect(silentChanges.body.items).toEqual([]);
    } finally {
      expectStatus(201, await rotate(null));
    }
  });
});

describe('both records', () => {
  it('agree about all of it', () => bothRecordsAgree(system));
});
