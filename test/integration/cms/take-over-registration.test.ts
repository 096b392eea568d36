import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { until } from '@cardwright/infra';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encryptChallenge } from '../../../services/vault/dist/challenge-response.js';
import { registerPerson } from '../../support/people.ts';
import { sealKey } from '../../support/seal-key.ts';
import { nothingChanges } from '../../support/snapshot.ts';
import { startTestSystem, type TestSystem } from '../../support/system.ts';
import { bothRecordsAgree } from '../../support/vault-audit.ts';
import { expectStatus, newCode, type RawDevice, rawDevice, refusal } from './raw-device.ts';

/** The one that cards are delivered with, and that everybody can read in the minidriver specification. */
const DEFAULT_KEY = '010203040506070801020304050607080102030405060708';

let system: TestSystem;
let device: RawDevice;
let deviceId: string;

beforeAll(async () => {
  system = await startTestSystem();
});
afterAll(() => system.remove());
beforeEach(async () => {
  device = rawDevice(system);
  const { cardId } = await device.enrol((await newCode(system)).code);
  deviceId = (await system.as('helpdesk').get(`/cards/${cardId}`)).body.deviceId;
});

async function register(change: object = {}, key = DEFAULT_KEY) {
  const serial = `GIDS-${randomBytes(5).toString('hex')}`;
  const { id: personId } = await registerPerson(system, 'Vera Card');
  const administratorKey = await sealKey(system, serial, key);
  const body = { personId, deviceId, serial, algorithm: 'tdes', administratorKey, takeOver: true, ...change };
  return system.as('security-officer').post('/cards', body);
}
const registered = async (change: object = {}, key = DEFAULT_KEY) =>
  expectStatus(201, await register(change, key)).body;
const cardOf = async (cardId: string) => (await system.as('auditor').get(`/cards/${cardId}`)).body;
const changesOf = async (cardId: string) =>
  (await system.as('auditor').get(`/cards/${cardId}/administrator-key-changes`)).body.items;
const offers = (taskId: string) =>
  device.api.post(`/agent/tasks/${taskId}/offers`, {
    parentPublic: Buffer.from(device.parent.public).toString('base64'),
  });
const answers = (taskId: string, keyVersion: number, challenge: Buffer) =>
  device.api.post(`/agent/tasks/${taskId}/card-answers`, { keyVersion, challenge: challenge.toString('base64') });
const report = (taskId: string, body: object) => device.api.post(`/agent/tasks/${taskId}/results`, body);
const unblock = (cardId: string) =>
  system.as('helpdesk').post(`/cards/${cardId}/unblock-sessions`, {
    verification: { method: 'in-person', evidence: 'badge' },
    reason: 'forgot the PIN',
  });
/** The key that the device was given: only a test can have the storage key it is wrapped to. */
function opened(keyOffer: Record<string, string> & { keyVersion: number }): Buffer {
  const bytes = (name: string) => Buffer.from(keyOffer[name] ?? '', 'base64');
  return device.parent.unwrap({
    keyVersion: keyOffer.keyVersion,
    name: bytes('name'),
    public: bytes('public'),
    duplicate: bytes('duplicate'),
    inSymSeed: bytes('inSymSeed'),
  }).key;
}
/** Delivered and offered. */
async function offered(cardId: string) {
  const [task] = (await device.checkIn()).tasks;
  const taskId = task?.taskId ?? '';
  const { keyOffer } = expectStatus(201, await offers(taskId)).body;
  const [change] = await changesOf(cardId);
  return { taskId, keyOffer, changeId: change.id };
}

describe('a card that is taken over', () => {
  it('is not in use until its device has changed the key that others know', async () => {
    const card = await registered();
    expect(card).toMatchObject({ state: 'created', takeOverPending: true, keyVersion: 1 });
    expect(refusal(await unblock(card.id))).toBe('409 card-not-taken-over');
    const asked = await device.api.post(`/agent/cards/${card.id}/unblock-requests`, { challenge: 'A', triesLeft: 0 });
    expect(refusal(asked)).toBe('409 card-not-taken-over');
    expect(await changesOf(card.id)).toMatchObject([{ kind: 'take-over', cause: 'take-over', state: 'requested' }]);
    const { tasks } = await device.checkIn();
    expect(tasks).toMatchObject([{ kind: 'change-administrator-key', cardId: card.id, cardKind: 'minidriver' }]);
    const taskId = tasks[0]?.taskId ?? '';
    const challenge = randomBytes(8);
    expect(refusal(await answers(taskId, 1, challenge))).toBe('409 key-change-not-offered');

    const { keyOffer } = expectStatus(201, await offers(taskId)).body;
    expect(keyOffer).toMatchObject({
      kind: 'replacement',
      algorithm: 'tdes',
      kcv: expect.stringMatching(/^[0-9A-F]{6}$/),
    });
    const newKey = opened(keyOffer);
    for (const [keyVersion, key] of [
      [1, Buffer.from(DEFAULT_KEY, 'hex')],
      [keyOffer.keyVersion, newKey],
    ] as const) {
      const answer = expectStatus(201, await answers(taskId, keyVersion, challenge)).body.response;
      expect(answer).toBe(Buffer.from(encryptChallenge(key, 'tdes', challenge, 'ecb')).toString('base64'));
    }
    const logged = await system.query(
      `SELECT after->>'challengeDigest' AS digest FROM audit_events WHERE action = 'key-change.answered' AND card_id = $1`,
      [card.id],
    );
    const digest = createHash('sha256').update(challenge).digest('hex');
    expect(logged).toEqual([{ digest }, { digest }]);

    const { keyVersion } = keyOffer;
    expect((await report(taskId, { outcome: 'done', keyVersion })).body).toEqual({ state: 'done' });
    expect(await cardOf(card.id)).toMatchObject({ state: 'active', takeOverPending: false, keyVersion });
    const session = expectStatus(201, await unblock(card.id)).body;
    const typed = { challenge: challenge.toString('hex') };
    const { response } = expectStatus(
      201,
      await system.as('helpdesk').post(`/unblock-sessions/${session.id}/responses`, typed),
    ).body;
    expect(Buffer.from(response.replaceAll(/\s/g, ''), 'hex')).toEqual(
      Buffer.from(encryptChallenge(newKey, 'tdes', challenge, 'ecb')),
    );
    expect(refusal(await answers(taskId, keyVersion, challenge))).toBe('409 key-change-closed');
    expect(refusal(await offers(taskId))).toBe('409 key-change-closed');
    await bothRecordsAgree(system);
  });

  it('with a key that is not the default one, too; and nothing else is done with its key meanwhile', async () => {
    const card = await registered({}, randomBytes(24).toString('hex'));
    const change = (cause: string) =>
      system.as('security-officer').post(`/cards/${card.id}/administrator-key-changes`, { cause, reason: 'why not' });
    await nothingChanges(system, async () => {
      expect(refusal(await change('periodic'))).toBe('409 card-not-taken-over');
      expect(refusal(await change('take-over'))).toBe('409 key-change-open');
    });
    // One that failed can be asked for again.
    const [task] = (await device.checkIn()).tasks;
    expect((await report(task?.taskId ?? '', { outcome: 'failed', code: 'card-not-in-reader' })).body.state).toBe(
      'failed',
    );
    expect((await change('take-over')).status).toBe(201);
    expect((await changesOf(card.id)).map(({ state }: { state: string }) => state)).toEqual(['requested', 'failed']);
  });

  it('needs a device, a key, and the word: else the default key is refused as ever', async () => {
    const noDevice = await register({ deviceId: undefined });
    expect([refusal(noDevice), noDevice.body.errors[0].pointer]).toEqual(['422 field-invalid', '/deviceId']);
    expect(refusal(await register({ takeOver: false }))).toBe('422 administrator-key-default');
    const nobodyHas = { cardProfile: 'minidriver-not-stored', algorithm: undefined, administratorKey: undefined };
    expect(refusal(await register(nobodyHas))).toBe('422 field-invalid');
  });
});

describe('cards of an import', () => {
  const bring = async (lines: readonly object[]) => {
    const answer = await fetch(`${system.url}/api/v1/card-imports?acceptDuplicates=true`, {
      method: 'POST',
      headers: { authorization: `Bearer ${system.tokens['security-officer']}`, 'content-type': 'application/x-ndjson' },
      body: lines.map((line) => JSON.stringify(line)).join('\n'),
    });
    const { id } = JSON.parse(await answer.text());
    const seen = await until({ what: 'the import to end', seconds: 20 }, async () => {
      const { body } = await system.as('security-officer').get(`/card-imports/${id}`);
      return body.state === 'proposed' ? null : body;
    });
    return seen;
  };
  const line = async (change: object = {}) => {
    const serial = `GIDS-${randomBytes(5).toString('hex')}`;
    const person = (await registerPerson(system, 'Vera Card')).userPrincipalName;
    const administratorKey = await sealKey(system, serial, DEFAULT_KEY);
    return { serial, person, device: deviceId, algorithm: 'tdes', administratorKey, takeOver: 'yes', ...change };
  };

  it('are taken over as well: the worker has each device asked', async () => {
    const { state, report: lines } = await bring([await line(), await line()]);
    expect(state).toBe('done');
    const tasks = await until({ what: 'the worker to ask for both changes', seconds: 20 }, async () => {
      const told = (await device.checkIn()).tasks;
      return told.length === 2 ? told : null;
    });
    expect(tasks.map((task) => task.kind)).toEqual(['change-administrator-key', 'change-administrator-key']);
    for (const { cardId } of lines) {
      expect(await cardOf(cardId)).toMatchObject({ state: 'created', takeOverPending: true });
      expect(await changesOf(cardId)).toMatchObject([{ cause: 'take-over', state: 'requested' }]);
    }
  });

  it('are refused with the default key unless they are, and without a device to do it', async () => {
    const plain = await bring([await line({ takeOver: 'no' })]);
    expect(plain.report).toMatchObject([{ code: 'administrator-key-default' }]);
    const { device: _device, ...nowhere } = await line();
    expect((await bring([nowhere])).report).toMatchObject([{ code: 'field-invalid' }]);
    expect((await bring([await line({ takeOver: 'perhaps' })])).report).toMatchObject([{ code: 'field-invalid' }]);
  });
});

describe('a key change of a card outside the TPM', () => {
  it('helps after suspicion, and gives a card its own key', async () => {
    const card = await registered({ takeOver: false }, randomBytes(24).toString('hex'));
    const body = { cause: 'suspicion', reason: 'the list was found in a bin' };
    expectStatus(201, await system.as('security-officer').post(`/cards/${card.id}/administrator-key-changes`, body));
    const { taskId, keyOffer } = await offered(card.id);
    await report(taskId, { outcome: 'done', keyVersion: keyOffer.keyVersion });
    expect(await cardOf(card.id)).toMatchObject({ keyVersion: keyOffer.keyVersion, keyStrategy: 'random-stored' });
  });

  it('of which the device is not sure stays open, with both keys, until a check-in knows', async () => {
    const card = await registered();
    const { taskId, keyOffer, changeId } = await offered(card.id);
    const unsure = { outcome: 'failed', code: 'card-removed' };
    expect((await report(taskId, unsure)).body.state).toBe('queued');
    const stateOf = async () => (await system.as('auditor').get(`/administrator-key-changes/${changeId}`)).body.state;
    expect(await stateOf()).toBe('offered');
    expect((await device.checkIn()).tasks).toMatchObject([{ taskId }]);
    // Told often enough: only the card can say now, and the change is not over.
    await system.query('UPDATE tasks SET attempts = 50 WHERE id = $1', [taskId]);
    expect((await device.checkIn()).tasks).toEqual([]);
    expect(await stateOf()).toBe('offered');
    const { keyVersion } = keyOffer;
    await device.checkIn([{ cardId: card.id, triesLeft: 3, blocked: false, administratorKeyVersion: keyVersion }]);
    expect(await stateOf()).toBe('confirmed');
    expect(await cardOf(card.id)).toMatchObject({ state: 'active', keyVersion });
  });

  it('whose card refuses both keys can be given up by an operator; both are kept, and the new one counts after all', async () => {
    const card = await registered();
    const { taskId, keyOffer, changeId } = await offered(card.id);
    const giveUp = (id = changeId) =>
      system.as('security-officer').post(`/administrator-key-changes/${id}/abandonments`, { reason: 'it is stuck' });
    await nothingChanges(system, async () => {
      expect(refusal(await giveUp())).toBe('409 key-change-under-way');
      expect(refusal(await giveUp(randomUUID()))).toBe('404 not-found');
    });
    await report(taskId, { outcome: 'failed', code: 'card-refused-both-keys' });
    const again = () =>
      system
        .as('security-officer')
        .post(`/cards/${card.id}/administrator-key-changes`, { cause: 'take-over', reason: 'once more' });
    expect(refusal(await again())).toBe('409 key-change-open');
    expect(expectStatus(201, await giveUp()).body).toMatchObject({
      state: 'failed',
      failure: { code: 'key-change-given-up', detail: 'it is stuck' },
    });
    expect(refusal(await giveUp())).toBe('409 key-change-closed');
    const kept = await system.query(
      'SELECT state FROM vault.administrator_keys WHERE card_id = $1 AND sealed IS NOT NULL ORDER BY key_version',
      [card.id],
    );
    expect(kept).toEqual([{ state: 'confirmed' }, { state: 'proposed' }]);
    const { keyVersion } = keyOffer;
    await device.checkIn([{ cardId: card.id, triesLeft: 3, blocked: false, administratorKeyVersion: keyVersion }]);
    expect(await cardOf(card.id)).toMatchObject({ state: 'active', keyVersion });
    await bothRecordsAgree(system);
  });

  it('that was given up is followed by another one', async () => {
    const card = await registered();
    const { taskId, changeId } = await offered(card.id);
    await report(taskId, { outcome: 'failed', code: 'card-refused-both-keys' });
    const path = `/administrator-key-changes/${changeId}/abandonments`;
    expectStatus(201, await system.as('security-officer').post(path, { reason: 'it was another card' }));
    const asked = { cause: 'take-over', reason: 'once more' };
    expectStatus(201, await system.as('security-officer').post(`/cards/${card.id}/administrator-key-changes`, asked));
    const second = await offered(card.id);
    expect(refusal(await system.as('security-officer').post(path, { reason: 'again' }))).toBe('409 key-change-closed');
    const { keyVersion } = second.keyOffer;
    expect((await report(second.taskId, { outcome: 'done', keyVersion })).body).toEqual({ state: 'done' });
    expect(await cardOf(card.id)).toMatchObject({ state: 'active', keyVersion });
    await bothRecordsAgree(system);
  });

  it('that left the old key on the card has failed', async () => {
    const card = await registered();
    const { taskId } = await offered(card.id);
    expect((await report(taskId, { outcome: 'failed', code: 'put-key-refused', keyVersion: 1 })).body.state).toBe(
      'failed',
    );
    expect(await changesOf(card.id)).toMatchObject([{ state: 'failed', failure: { code: 'put-key-refused' } }]);
    expect(await cardOf(card.id)).toMatchObject({ state: 'created', takeOverPending: true });
  });

  it('answers few challenges, of the right length, by its own two keys', async () => {
    const card = await registered();
    const { taskId, keyOffer, changeId } = await offered(card.id);
    expect(refusal(await answers(taskId, keyOffer.keyVersion + 1, randomBytes(8)))).toBe('422 key-version-mismatch');
    expect(refusal(await answers(taskId, 1, randomBytes(7)))).toBe('422 challenge-length');
    expect(refusal(await answers(taskId, 1, randomBytes(72)))).toBe('400 field-invalid');
    await system.query('UPDATE key_changes SET answers = 29 WHERE id = $1', [changeId]);
    const both = await Promise.all([1, 2].map(() => answers(taskId, 1, randomBytes(8))));
    expect(both.map(refusal).toSorted()).toEqual(['201 undefined', '409 key-change-answers-used-up']);
    await bothRecordsAgree(system);
  });
});
