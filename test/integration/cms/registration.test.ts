import { randomUUID } from 'node:crypto';
import { until } from '@cardwright/infra';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registerPerson } from '../../support/people.ts';
import { sealKey } from '../../support/seal-key.ts';
import { startTestSystem, type TestSystem } from '../../support/system.ts';
import { newCode, rawDevice, refusal } from './raw-device.ts';

const KEY = '4F1A9C3377E0D2B85A6610C94E83F7AB12D95C0E6B7734A8';
const OTHER_KEY = '7A1A9C3377E0D2B85A6610C94E83F7AB12D95C0E6B7734A8';

let system: TestSystem;
beforeAll(async () => {
  system = await startTestSystem();
  // Stands for the crash between the vault and the card's last word: that word can't be written.
  await system.query(`CREATE FUNCTION cut_off() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'cut off'; END $$`);
  await system.query(`CREATE TRIGGER cut_off BEFORE UPDATE ON cards FOR EACH ROW
    WHEN (NEW.serial LIKE 'CUT-%' AND NEW.state = 'active') EXECUTE FUNCTION cut_off()`);
});
afterAll(() => system.remove());

/** A request that can be repeated to the letter. */
async function request(serial: string, change: Record<string, unknown> = {}, key = KEY) {
  const { id: personId } = await registerPerson(system, 'Vera Card');
  const body = { personId, serial, algorithm: 'tdes', administratorKey: await sealKey(system, serial, key), ...change };
  return { body, send: () => system.as('security-officer').post('/cards', body) };
}
const cardsOf = async (serial: string) => (await system.as('auditor').get(`/cards?q=${serial}`)).body.items;
const keysOf = async (cardId: string) =>
  (await system.query('SELECT count(*)::int AS keys FROM vault.administrator_keys WHERE card_id = $1', [cardId]))[0]
    .keys;
const goOn = (serial: string) =>
  system.query('UPDATE cards SET serial = $2 WHERE serial = $1', [serial, serial.slice(4)]);
/** As if it had begun a minute ago: the worker leaves alone what may still be under way. */
const age = (serial: string) =>
  system.query(`UPDATE cards SET created_at = created_at - interval '1 minute' WHERE serial = $1`, [serial]);

describe('a registration that was cut off', () => {
  it('after the vault took the key is completed by the same request: one card, one key', async () => {
    const { send } = await request('CUT-1');
    expect((await send()).status).toBe(500);
    const [half] = await cardsOf('CUT-1');
    expect(half).toMatchObject({ state: 'created', keyVersion: null });
    expect(half.allowedActions[0]).toMatchObject({ action: 'unblock', allowed: false });
    await system.query('ALTER TABLE cards DISABLE TRIGGER cut_off');
    expect(await send()).toMatchObject({ status: 201, body: { id: half.id, state: 'active', keyVersion: 1 } });
    await system.query('ALTER TABLE cards ENABLE TRIGGER cut_off');
    expect(await cardsOf('CUT-1')).toHaveLength(1);
    expect(await keysOf(half.id)).toBe(1);
    expect(refusal(await send())).toBe('409 card-serial-taken');
    const { items } = (await system.as('auditor').get(`/audit/events?cardId=${half.id}&outcome=done`)).body;
    expect(items.map(({ action }: { action: string }) => action)).toEqual([
      'card.registered',
      'card.registration-resumed',
      'card.registration-begun',
    ]);
  });

  it('keeps its serial, and the place of the one live card, from others', async () => {
    const device = rawDevice(system);
    await device.enrol((await newCode(system)).code);
    const [{ id: deviceId }] = (await system.as('auditor').get('/devices')).body.items;
    const first = await request('CUT-2', { deviceId });
    expect((await first.send()).status).toBe(500);
    expect(refusal(await (await request('CUT-2')).send())).toBe('409 card-serial-taken');
    const second = await request('VSC-2', { deviceId, personId: first.body.personId });
    expect(refusal(await second.send())).toBe('409 card-already-active');
  });

  it('is completed by the worker when the vault has the key', async () => {
    expect((await (await request('CUT-VSC-3')).send()).status).toBe(500);
    await goOn('CUT-VSC-3');
    await age('VSC-3');
    const card = await until({ what: 'the worker to complete it', seconds: 20 }, async () => {
      const [found] = await cardsOf('VSC-3');
      return found?.state === 'active' ? found : null;
    });
    expect(card).toMatchObject({ keyVersion: 1 });
    const { items } = (await system.as('auditor').get(`/audit/events?cardId=${card.id}&action=card.registered`)).body;
    expect(items[0].actor).toMatchObject({ kind: 'system', name: 'worker' });
  });

  it('before the vault took the key is undone by the worker, and begun anew by the same request', async () => {
    const [lost, again] = [await request('VSC-4'), await request('VSC-5')];
    await system.processes.vault.kill();
    expect(refusal(await lost.send())).toBe('503 vault-unavailable');
    expect(refusal(await again.send())).toBe('503 vault-unavailable');
    expect([...(await cardsOf('VSC-4')), ...(await cardsOf('VSC-5'))]).toMatchObject([
      { state: 'created' },
      { state: 'created' },
    ]);
    await system.processes.vault.start();
    expect((await again.send()).status).toBe(201);
    await age('VSC-4');
    await until({ what: 'the worker to undo it', seconds: 20 }, async () => (await cardsOf('VSC-4')).length === 0);
    expect((await lost.send()).status).toBe(201);
  });
});

describe('the same registration sent many times at once', () => {
  it('makes one card with one key', async () => {
    const { send } = await request('VSC-6');
    const answers = await Promise.all(Array.from({ length: 6 }, send));
    expect(answers.filter(({ status }) => status === 201).length).toBeGreaterThan(0);
    for (const answer of answers) if (answer.status !== 201) expect(refusal(answer)).toBe('409 card-serial-taken');
    const cards = await cardsOf('VSC-6');
    expect(cards).toMatchObject([{ state: 'active', keyVersion: 1 }]);
    expect(await keysOf(cards[0].id)).toBe(1);
  });

  it('with two keys takes one of them, and never the other for the same card', async () => {
    const first = await request('VSC-7');
    const other = { ...first.body, administratorKey: await sealKey(system, 'VSC-7', OTHER_KEY) };
    const answers = await Promise.all([first.send(), system.as('security-officer').post('/cards', other)]);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    const cards = await cardsOf('VSC-7');
    expect(cards).toMatchObject([{ state: 'active', keyVersion: 1 }]);
    expect(await keysOf(cards[0].id)).toBe(1);
  });

  it('for a device that is not there changes nothing', async () => {
    expect(refusal(await (await request('VSC-8', { deviceId: randomUUID() })).send())).toBe('422 field-invalid');
    expect(await cardsOf('VSC-8')).toEqual([]);
  });
});
