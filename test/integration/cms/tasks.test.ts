import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { nothingChanges } from '../../support/snapshot.ts';
import { startTestSystem, type TestSystem } from '../../support/system.ts';
import { type Begun, expectStatus, newCode, type RawDevice, rawDevice, refusal } from './raw-device.ts';

let system: TestSystem;
let device: RawDevice;
let card: Begun;
let deviceId: string;

beforeAll(async () => {
  system = await startTestSystem();
});
afterAll(() => system.remove());
beforeEach(async () => {
  device = rawDevice(system);
  card = await device.enrol((await newCode(system)).code);
  deviceId = (await system.as('helpdesk').get(`/cards/${card.cardId}`)).body.deviceId;
});

const send = (body: object, to = deviceId) => system.as('helpdesk').post(`/devices/${to}/messages`, body);
const report = (taskId: string, body: object, by = device) => by.api.post(`/agent/tasks/${taskId}/results`, body);
const tasksOf = async () => (await system.as('auditor').get(`/devices/${deviceId}/tasks`)).body.items;
const stateOf = async (cardId: string) => (await system.as('auditor').get(`/cards/${cardId}`)).body.state;
const retire = (cardId: string) =>
  system.as('security-officer').post(`/cards/${cardId}/retirements`, { reason: 'left' });
const actionsAbout = async (objectId: string) =>
  (await system.query('SELECT action FROM audit_events WHERE object_id = $1 ORDER BY id', [objectId])).map(
    ({ action }) => action,
  );
const refused = (...cases: readonly (readonly [code: string, act: () => ReturnType<typeof send>])[]) =>
  nothingChanges(system, async () => {
    for (const [code, act] of cases) expect(refusal(await act())).toBe(code);
  });

describe('a message to who uses a device', () => {
  it('waits for a check-in, is given until it is reported, and counts once', async () => {
    const sent = expectStatus(201, await send({ text: 'Come to the desk', cardId: card.cardId })).body;
    expect(sent).toMatchObject({ kind: 'message', state: 'queued', attempts: 0, message: 'Come to the desk' });
    const told = { taskId: sent.id, kind: 'message', message: 'Come to the desk', cardId: card.cardId };
    expect(await device.checkIn()).toMatchObject({ tasks: [{ ...told, cardKind: 'tpm' }], nextCheckInSeconds: 60 });
    // The device did not hear the answer, or died: it is told again.
    expect((await device.checkIn()).tasks).toMatchObject([told]);
    expect(await tasksOf()).toMatchObject([{ id: sent.id, state: 'delivered', attempts: 2 }]);
    // Twice at once, and once more with another word: the first report counts.
    const done = await Promise.all([1, 2].map(() => report(sent.id, { outcome: 'done' })));
    expect(done.map(({ status, body }) => [status, body])).toEqual([1, 2].map(() => [200, { state: 'done' }]));
    expect((await report(sent.id, { outcome: 'failed', code: 'no-screen' })).body).toEqual({ state: 'done' });
    expect(await device.checkIn()).toMatchObject({ tasks: [], nextCheckInSeconds: 900 });
    expect(await actionsAbout(sent.id)).toEqual(['task.queued', 'task.delivered', 'task.done']);
  });

  it('that the device can’t show has failed, and says why', async () => {
    const { id } = expectStatus(201, await send({ text: 'Hello' })).body;
    await device.checkIn();
    const why = { code: 'no-screen', detail: 'Nobody is signed in.' };
    expect((await report(id, { outcome: 'failed', ...why })).body).toEqual({ state: 'failed' });
    expect(await tasksOf()).toMatchObject([{ state: 'failed', failure: why }]);
  });

  it('is given up when it was given often enough without a word', async () => {
    const { id } = expectStatus(201, await send({ text: 'Hello' })).body;
    await system.query('UPDATE tasks SET attempts = 50 WHERE id = $1', [id]);
    expect((await device.checkIn()).tasks).toEqual([]);
    expect(await tasksOf()).toMatchObject([{ state: 'failed', failure: { code: 'task-attempts-exhausted' } }]);
  });

  it('ends with the card that it is about', async () => {
    const { id } = expectStatus(201, await send({ text: 'Hello', cardId: card.cardId })).body;
    expectStatus(201, await retire(card.cardId));
    expect(await tasksOf()).toMatchObject([
      { kind: 'destroy', state: 'queued' },
      { id, state: 'cancelled' },
    ]);
  });

  it('is refused where it is not one, or too many wait', async () => {
    const other = rawDevice(system);
    const elsewhere = await other.enrol((await newCode(system)).code);
    const wrong = ['', ' ', 'x'.repeat(501), 'red \u001b[31m', 'right to left \u202e'];
    await refused(
      ['404 not-found', () => send({ text: 'Hello' }, randomUUID())],
      ['422 field-invalid', () => send({ text: 'Hello', cardId: randomUUID() })],
      ['422 field-invalid', () => send({ text: 'Hello', cardId: elsewhere.cardId })],
      ...wrong.map((text) => ['400 field-invalid', () => send({ text })] as const),
      ['400 field-unknown', () => send({ text: 'Hello', kind: 'destroy' })],
    );
    for (let sent = 0; sent < 10; sent++) expectStatus(201, await send({ text: `${sent}` }));
    await refused(['409 messages-waiting', () => send({ text: 'one more' })]);
    expect((await device.checkIn()).tasks.map(({ message }) => message)).toEqual([...'0123456789']);
  });
});

describe('a report', () => {
  it('of a task that is not there, is another device’s, or was never delivered is refused', async () => {
    const { id } = expectStatus(201, await send({ text: 'Hello' })).body;
    const other = rawDevice(system);
    await other.enrol((await newCode(system)).code);
    await refused(
      ['404 not-found', () => report(randomUUID(), { outcome: 'done' })],
      ['404 not-found', () => report(id, { outcome: 'done' }, other)],
      ['409 task-not-delivered', () => report(id, { outcome: 'done' })],
    );
    await device.checkIn();
    const wrong = [
      {},
      { outcome: 'maybe' },
      { outcome: 'done', detail: 'x'.repeat(501) },
      { outcome: 'done', code: 'No Code' },
    ];
    await refused(...wrong.map((body) => ['400 field-invalid', () => report(id, body)] as const), [
      '400 field-unknown',
      () => report(id, { outcome: 'done', state: 'done' }),
    ]);
  });
});

describe('a check-in', () => {
  it('notes the agent and its TPM, and refuses what it does not know', async () => {
    const tpm = { manufacturer: 'IFX', firmware: '7.85', revision: '1.59' };
    expectStatus(200, await device.api.post('/agent/check-ins', { cards: [], agentVersion: '0.9.1', tpm }));
    const shown = (await system.as('auditor').get(`/devices/${deviceId}`)).body;
    expect(shown).toMatchObject({ agentVersion: '0.9.1', tpm, checkedInAt: expect.stringMatching(/Z$/) });
    const wrong = [
      { cards: [], agentVersion: 'x'.repeat(65) },
      { cards: [], tpm: { ...tpm, revision: '1\u001b' } },
      { cards: [{ cardId: card.cardId, triesLeft: 5, blocked: false, administratorKeyVersion: 0 }] },
      { cards: Array.from({ length: 51 }, () => ({ cardId: card.cardId, triesLeft: 5, blocked: false })) },
    ];
    const checkIn = (body: object) => device.api.post('/agent/check-ins', body);
    await refused(...wrong.map((body) => ['400 field-invalid', () => checkIn(body)] as const), [
      '400 field-unknown',
      () => checkIn({ cards: [], tasks: [] }),
    ]);
  });

  it('gives twenty tasks at a time, oldest first', async () => {
    await system.query(
      `INSERT INTO tasks (id, device_id, kind, state, payload, created_by_id, created_by_name)
         SELECT ('0199f2a0-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, $1, 'message', 'queued',
           jsonb_build_object('text', n::text), 'a test', 'a test' FROM generate_series(1, 25) n`,
      [deviceId],
    );
    const first = (await device.checkIn()).tasks;
    expect(first.map(({ message }) => message)).toEqual(Array.from({ length: 20 }, (_, at) => `${at + 1}`));
    for (const { taskId } of first) expectStatus(200, await report(taskId, { outcome: 'done' }));
    expect((await device.checkIn()).tasks.map(({ message }) => message)).toEqual(['21', '22', '23', '24', '25']);
    await system.query('DELETE FROM tasks WHERE device_id = $1', [deviceId]);
  });
});

describe('a card that is retired', () => {
  it('has its certificates revoked first, is destroyed on its device, and is destroyed here when that is reported', async () => {
    expectStatus(201, await retire(card.cardId));
    const certificates = await system.as('auditor').get(`/cards/${card.cardId}/certificates`);
    expect(certificates.body.items).toMatchObject([{ status: 'revoked' }]);
    const [task] = (await device.checkIn()).tasks;
    expect(task).toMatchObject({ kind: 'destroy', cardId: card.cardId, cardSerial: card.cardSerial });
    const taskId = task?.taskId ?? '';
    // It could not be done now: it is tried again, and the card stays retired.
    const failed = await report(taskId, { outcome: 'failed', code: 'tpm-busy' });
    expect([failed.body.state, await stateOf(card.cardId)]).toEqual(['queued', 'retired']);
    expect((await device.checkIn()).tasks).toMatchObject([{ taskId }]);
    const done = await Promise.all([1, 2, 3].map(() => report(taskId, { outcome: 'done' })));
    expect(done.map(({ body }) => body.state)).toEqual(['done', 'done', 'done']);
    expect(await stateOf(card.cardId)).toBe('destroyed');
    expect(await actionsAbout(taskId)).toEqual(['task.queued', 'task.delivered', 'task.tried-again', 'task.done']);
    const destroyed = await system.query(
      `SELECT 1 FROM audit_events WHERE action = 'card.destroyed' AND card_id = $1`,
      [card.cardId],
    );
    expect(destroyed).toHaveLength(1);
  });

  it('stays retired while its device does not come, and when the device gives up', async () => {
    expectStatus(201, await retire(card.cardId));
    await system.query('UPDATE tasks SET attempts = 50 WHERE card_id = $1', [card.cardId]);
    await device.checkIn([{ cardId: card.cardId, triesLeft: 5, blocked: false }]);
    expect(await stateOf(card.cardId)).toBe('retired');
    expect(await tasksOf()).toMatchObject([{ kind: 'destroy', state: 'failed' }]);
  });

  it('stays retired when its device does not have it: that proves nothing', async () => {
    expectStatus(201, await retire(card.cardId));
    const [task] = (await device.checkIn()).tasks;
    const answer = await report(task?.taskId ?? '', { outcome: 'failed', code: 'card-unknown' });
    expect([answer.body.state, await stateOf(card.cardId)]).toEqual(['failed', 'retired']);
  });

  it('and destroyed by hand on the device has nothing left to do there', async () => {
    expectStatus(201, await retire(card.cardId));
    await device.checkIn();
    expectStatus(201, await device.api.post(`/agent/cards/${card.cardId}/destructions`, {}));
    const [task] = await tasksOf();
    expect(task).toMatchObject({ kind: 'destroy', state: 'done' });
    expect((await report(task.id, { outcome: 'done' })).body).toEqual({ state: 'done' });
  });
});
