import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registerPerson } from '../../support/people.ts';
import { startTestSystem, type TestSystem } from '../../support/system.ts';
import { expectStatus, NV_INDEX, newCode, type RawDevice, rawDevice, refusal, tpmChallenge } from './raw-device.ts';

let system: TestSystem;
beforeAll(async () => {
  system = await startTestSystem();
}, 120_000);
afterAll(async () => {
  await system?.remove();
});

const officer = () => system.as('security-officer');
const auditor = () => system.as('auditor');
const get = async (path: string) => expectStatus(200, await auditor().get(path)).body;

interface Enrolled {
  readonly device: RawDevice;
  readonly deviceId: string;
  readonly personId: string;
  readonly cardId: string;
  readonly cardSerial: string;
  readonly certificateId: string;
}
async function enrolled(): Promise<Enrolled> {
  const device = rawDevice(system);
  const { code, person } = await newCode(system);
  const card = await device.enrol(code);
  const { device: where } = await get(`/cards/${card.cardId}`);
  return { ...card, device, deviceId: where.id, personId: person.id };
}

type Kind = 'cards' | 'devices' | 'people';
const ask = (kind: Kind, id: string, body: object) =>
  officer().post(`/${kind}/${id}/life-cycle-acts`, { reason: 'What happened', ticket: 'INC-9', ...body });
const preview = async (kind: Kind, id: string, body: object) =>
  expectStatus(200, await ask(kind, id, { ...body, preview: true })).body;
async function perform(kind: Kind, id: string, body: object) {
  const shown = await preview(kind, id, body);
  const done = expectStatus(201, await ask(kind, id, { ...body, previewToken: shown.previewToken })).body;
  expect(done.plan).toEqual(shown.plan);
  return done;
}
const actions = async (requestId: string): Promise<string[]> =>
  (await get(`/audit/events?requestId=${requestId}&limit=200`)).items
    .map((event: { action: string }) => event.action)
    .reverse();

describe('a computer that was stolen with its PIN known', () => {
  it('gets no new PIN, but another card, and leaves one story', async () => {
    const card = await enrolled();
    const challenge = tpmChallenge(card.cardSerial);
    const session = expectStatus(
      201,
      await system.as('helpdesk').post(`/cards/${card.cardId}/unblock-sessions`, {
        reason: 'Caller forgot the PIN',
        verification: { method: 'call-back', evidence: 'Number on record' },
      }),
    ).body;
    const body = { act: 'device-stolen' };
    const before = await get(`/cards/${card.cardId}`);
    const { plan } = await preview('devices', card.deviceId, body);
    expect(plan).toMatchObject({
      act: 'device-stolen',
      subject: { kind: 'device', id: card.deviceId },
      cards: [{ cardId: card.cardId, from: 'active', to: 'compromised' }],
      certificates: [{ id: card.certificateId, reason: 'keyCompromise' }],
      sessionsEnded: [{ id: session.id, state: 'open' }],
      tasksQueued: [{ kind: 'destroy', cardId: card.cardId, deviceId: card.deviceId }],
      enrolmentsMade: [{ personId: card.personId, replacesCardId: card.cardId }],
      notDone: [],
    });
    expect(await get(`/cards/${card.cardId}`)).toEqual(before);

    const done = await perform('devices', card.deviceId, body);
    expect(done.codes).toMatchObject([{ personId: card.personId, replacesCardId: card.cardId }]);
    expect(await get(`/cards/${card.cardId}`)).toMatchObject({ state: 'compromised' });
    expect(await get(`/certificates/${card.certificateId}`)).toMatchObject({
      status: 'revoked',
      revocation: { state: 'confirmed', reason: 'keyCompromise' },
    });
    expect((await get(`/unblock-sessions/${session.id}`)).state).toBe('refused');
    const answer = await system
      .as('helpdesk')
      .post(`/unblock-sessions/${session.id}/responses`, { challenge: challenge.text });
    expect(refusal(answer)).toBe('409 unblock-session-closed');
    const again = await system.as('helpdesk').post(`/cards/${card.cardId}/unblock-sessions`, {
      reason: 'Caller forgot the PIN',
      verification: { method: 'call-back', evidence: 'Number on record' },
    });
    expect(refusal(again)).toBe('409 card-not-active');
    const { tasks } = await card.device.checkIn();
    expect(tasks.map(({ kind }) => kind)).toEqual(['destroy']);
    expect(await actions(done.requestId)).toEqual([
      'life-cycle.device-stolen',
      'card.compromised',
      'task.queued',
      'certificate.revocation-requested',
      'unblock.refused',
      'enrolment.created',
      'card.reissue-requested',
      'certificate.revoked',
    ]);
    const [first] = (await get(`/audit/events?requestId=${done.requestId}&action=life-cycle.device-stolen`)).items;
    expect(first).toMatchObject({ deviceId: card.deviceId, reason: 'What happened', ticket: 'INC-9' });

    // The person works on with the other card.
    const other = await rawDevice(system).enrol(done.codes[0].code);
    expect(await get(`/cards/${other.cardId}`)).toMatchObject({ state: 'active', replaces: { id: card.cardId } });
    expect((await get(`/cards/${card.cardId}`)).state).toBe('retired');
  });
});

describe('a computer that was lost', () => {
  it('takes the card out of use, with another one only if that is wanted', async () => {
    const card = await enrolled();
    const done = await perform('cards', card.cardId, { act: 'device-lost', reissue: false });
    expect(done.codes).toEqual([]);
    expect(await get(`/cards/${card.cardId}`)).toMatchObject({ state: 'lost' });
    expect(await get(`/certificates/${card.certificateId}`)).toMatchObject({
      status: 'revoked',
      revocation: { reason: 'cessationOfOperation' },
    });
    // It turns out later that the PIN was known.
    const stolen = await perform('cards', card.cardId, { act: 'device-stolen' });
    expect(stolen.plan).toMatchObject({
      cards: [{ from: 'lost', to: 'compromised' }],
      certificates: [],
      tasksQueued: [],
    });
    expect(stolen.codes).toHaveLength(1);
    expect((await card.device.checkIn()).tasks.map(({ kind }) => kind)).toEqual(['destroy']);
  });

  it('while the CA is away is lost all the same, and the CA hears of it later', { timeout: 90_000 }, async () => {
    const card = await enrolled();
    await system.processes.ca.kill();
    const done = await perform('cards', card.cardId, { act: 'device-lost' });
    expect(await get(`/cards/${card.cardId}`)).toMatchObject({ state: 'lost' });
    expect(await get(`/certificates/${card.certificateId}`)).toMatchObject({ revocation: { state: 'proposed' } });
    await system.processes.ca.start();
    const status = async () => (await get(`/certificates/${card.certificateId}`)).status;
    await expect.poll(status, { timeout: 40_000, interval: 300 }).toBe('revoked');
    // Told by the worker, and still a part of the story.
    expect((await actions(done.requestId)).at(-1)).toBe('certificate.revoked');
  });
});

describe('a person who left', () => {
  it('has no card in use any more, none in the making, and no code', async () => {
    const card = await enrolled();
    const person = { id: card.personId };
    const making = await rawDevice(system).begin((await newCode(system, person as never)).code);
    const { enrolmentId } = await newCode(system, person as never);
    const done = await perform('people', card.personId, { act: 'person-left' });
    expect(done.plan.enrolmentsCancelled.map((one: { id: string }) => one.id)).toEqual([
      making.enrolmentId,
      enrolmentId,
    ]);
    expect(done.codes).toEqual([]);
    const cards = (await get(`/cards?personId=${card.personId}`)).items;
    expect(cards.map((one: { state: string }) => one.state)).toEqual(['retired', 'retired']);
    expect((await get(`/enrolments/${enrolmentId}`)).state).toBe('cancelled');
    expect(await get(`/certificates/${card.certificateId}`)).toMatchObject({
      status: 'revoked',
      revocation: { reason: 'affiliationChanged' },
    });
    expect(refusal(await making.step('completions', { nvIndex: NV_INDEX }))).toBe('409 enrolment-cancelled');
    const { items } = await get(`/people/${card.personId}/life-cycle-acts`);
    expect(items).toMatchObject([{ action: 'person-left', allowed: false }]);
    const { previewToken } = await preview('people', card.personId, { act: 'person-left' });
    expect(refusal(await ask('people', card.personId, { act: 'person-left', previewToken }))).toBe('409 nothing-to-do');
  });
});

describe('a computer that another person gets', () => {
  it('loses the cards of the person before, and the new one gets a code', async () => {
    const card = await enrolled();
    const next = await registerPerson(system, 'Nora Next');
    const body = { act: 'device-handed-over', newPersonId: next.id };
    const done = await perform('devices', card.deviceId, body);
    expect(done.codes).toMatchObject([{ personId: next.id, replacesCardId: null }]);
    expect(await get(`/cards/${card.cardId}`)).toMatchObject({ state: 'retired' });
    const mine = await card.device.enrol(done.codes[0].code);
    expect(await get(`/cards/${mine.cardId}`)).toMatchObject({ state: 'active', person: { id: next.id } });
    // Said again, it is about nobody but the person who has the computer now.
    expect((await preview('devices', card.deviceId, body)).plan.cards).toEqual([]);
  });
});

describe('a computer whose system was installed anew', () => {
  it('gets another card for the same person, and the old one is retired', async () => {
    const card = await enrolled();
    const done = await perform('cards', card.cardId, { act: 'system-reinstalled' });
    expect(done.plan).toMatchObject({
      cards: [{ to: 'retired' }],
      certificates: [{ reason: 'superseded' }],
      enrolmentsMade: [{ personId: card.personId, replacesCardId: card.cardId }],
    });
    const other = await rawDevice(system).enrol(done.codes[0].code);
    expect(await get(`/cards/${other.cardId}`)).toMatchObject({ replaces: { id: card.cardId } });
  });
});

describe('a CA whose key is in other hands', () => {
  const act = (body: object, name = 'embedded') =>
    officer().post(`/authorities/${name}/life-cycle-acts`, {
      act: 'ca-key-compromised',
      reason: 'Broken into',
      ...body,
    });

  it('has all that it issued revoked, after somebody looked at it', { timeout: 60_000 }, async () => {
    const card = await enrolled();
    expect(refusal(await act({}))).toBe('422 preview-needed');
    expect(refusal(await act({ preview: true }, 'nobody'))).toBe('404 not-found');
    const planned = expectStatus(200, await act({ preview: true })).body;
    const { items } = await get(`/operations/${planned.id}/items?state=pending&limit=200`);
    expect(items.map((one: { certificate: { id: string } }) => one.certificate.id)).toContain(card.certificateId);
    const started = expectStatus(202, await act({ previewToken: planned.id }));
    expect(started.headers.get('location')).toBe(`/api/v1/operations/${planned.id}`);
    const state = async () => (await get(`/operations/${planned.id}`)).state;
    await expect.poll(state, { timeout: 40_000, interval: 300 }).toBe('done');
    const left = await system.query(`SELECT id FROM certificates WHERE status IN ('active', 'on-hold')`);
    expect(left).toEqual([]);
    const story = await actions(started.body.requestId);
    expect(story.slice(0, 2)).toEqual(['life-cycle.ca-key-compromised', 'revocation-batch.started']);
    expect(story.at(-1)).toBe('revocation-batch.finished');
  });
});

describe('an act', () => {
  it('is refused when something changed since it was looked at, with what it would do now', async () => {
    const card = await enrolled();
    const { previewToken } = await preview('cards', card.cardId, { act: 'device-stolen' });
    expectStatus(201, await officer().post(`/cards/${card.cardId}/retirements`, { reason: 'Something else' }));
    const stale = await ask('cards', card.cardId, { act: 'device-stolen', previewToken });
    expect(refusal(stale)).toBe('409 preview-stale');
    expect(stale.body.data.preview.plan).toMatchObject({ cards: [], notDone: [{ code: 'card-retired' }] });
    expect((await get(`/cards/${card.cardId}`)).state).toBe('retired');
    // Another act's token is none for this one.
    const other = await preview('cards', card.cardId, { act: 'system-reinstalled' });
    const { previewToken: foreign } = other;
    expect(refusal(await ask('cards', card.cardId, { act: 'device-stolen', previewToken: foreign }))).toBe(
      '409 preview-stale',
    );
  });

  it('of two at once is done once', async () => {
    const card = await enrolled();
    const { previewToken } = await preview('devices', card.deviceId, { act: 'device-stolen' });
    const both = await Promise.all(
      [1, 2, 3].map(() => ask('devices', card.deviceId, { act: 'device-stolen', previewToken })),
    );
    expect(both.map((answer) => answer.status).sort()).toEqual([201, 409, 409]);
    const rows = await system.query('SELECT 1 FROM enrolments WHERE replaces_card_id = $1', [card.cardId]);
    expect(rows).toHaveLength(1);
  });

  it('is for who may, about what there is, and looked at first', async () => {
    const card = await enrolled();
    for (const [kind, id] of [
      ['cards', card.cardId],
      ['devices', card.deviceId],
      ['people', card.personId],
    ] as const) {
      const body = { act: 'device-lost', preview: true, reason: 'No' };
      expect(refusal(await system.as('helpdesk').post(`/${kind}/${id}/life-cycle-acts`, body))).toBe(
        '403 permission-missing',
      );
    }
    expect(refusal(await ask('cards', card.cardId, { act: 'device-lost' }))).toBe('422 preview-needed');
    expect(refusal(await ask('people', card.personId, { act: 'device-lost', preview: true }))).toBe(
      '422 act-not-for-subject',
    );
    expect(refusal(await ask('cards', card.personId, { act: 'device-lost', preview: true }))).toBe('404 not-found');
    // A profile whose cards are handed out on behalf wants to know how the person was verified; here nobody may say so.
    const vouched = { act: 'device-stolen', preview: true, method: 'on-behalf' };
    expect(refusal(await ask('cards', card.cardId, vouched))).toBe('422 enrolment-method-not-allowed');
    const reissued = { act: 'person-left', preview: true, reissue: true };
    expect(refusal(await ask('people', card.personId, reissued))).toBe('422 reissue-not-for-act');
    const handed = { act: 'device-lost', preview: true, newPersonId: card.personId };
    expect(refusal(await ask('devices', card.deviceId, handed))).toBe('422 new-person-not-for-act');
    const unknown = randomBytes(32).toString('base64url');
    expect(refusal(await ask('cards', card.cardId, { act: 'device-lost', previewToken: unknown }))).toBe(
      '409 preview-stale',
    );
    const offers = (await system.as('helpdesk').get(`/devices/${card.deviceId}/life-cycle-acts`)).body.items;
    expect(offers.map((one: { allowed: boolean }) => one.allowed)).toEqual([false, false, false, false]);
    const mine = (await officer().get(`/devices/${card.deviceId}/life-cycle-acts`)).body.items;
    expect(mine.map((one: { action: string; allowed: boolean }) => [one.action, one.allowed])).toEqual(
      ['device-lost', 'device-stolen', 'device-handed-over', 'system-reinstalled'].map((name) => [name, true]),
    );
  });
});
