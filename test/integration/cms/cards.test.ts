import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registerPerson } from '../../support/people.ts';
import type { Answer } from '../../support/rest.ts';
import { sealKey } from '../../support/seal-key.ts';
import { startTestSystem, type TestSystem } from '../../support/system.ts';
import { newCode, rawDevice } from './raw-device.ts';

let system: TestSystem;
beforeAll(async () => {
  system = await startTestSystem();
});
afterAll(() => system.remove());

const officer = () => system.as('security-officer');
const helpdesk = () => system.as('helpdesk');
const refusal = ({ status, body }: Answer) => `${status} ${body.code}`;
const KEY = '4F1A9C3377E0D2B85A6610C94E83F7AB12D95C0E6B7734A8';

async function register(serial: string, change: Record<string, unknown> = {}): Promise<Answer> {
  const { id: personId } = await registerPerson(system, 'Vera Card');
  const administratorKey = await sealKey(system, serial, KEY);
  return officer().post('/cards', { personId, serial, algorithm: 'tdes', administratorKey, ...change });
}

describe('an existing card with its known key', () => {
  it('is taken under management, can be unblocked, and its key is shown nowhere', async () => {
    const made = await register('VSC-00001');
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      serial: 'VSC-00001',
      kind: 'minidriver',
      algorithm: 'tdes',
      state: 'active',
      keyVersion: 1,
      device: null,
    });
    expect(made.headers.get('location')).toBe(`/api/v1/cards/${made.body.id}`);
    const seen = await helpdesk().get(`/cards/${made.body.id}`);
    const lacks = (permission: string) => `Your role lacks the permission ${permission}.`;
    expect(seen.body.allowedActions).toEqual(
      expect.arrayContaining([
        { action: 'unblock', allowed: true, disabledReason: null },
        { action: 'change-administrator-key', allowed: false, disabledReason: lacks('keys:change') },
        { action: 'retire', allowed: false, disabledReason: lacks('cards:retire') },
      ]),
    );
    const events = await system.as('auditor').get(`/audit/events?cardId=${made.body.id}`);
    expect(events.body.items.map((event: { action: string }) => event.action)).toEqual([
      'card.registered',
      'card.registration-begun',
    ]);
    expect(JSON.stringify([made.body, seen.body, events.body]).toUpperCase()).not.toContain(KEY.slice(0, 16));
  });

  it.each([
    ['of 47 digits, as the vendor prints its default', KEY.slice(1), '422 administrator-key-odd-length'],
    ['that is too short', KEY.slice(16), '422 administrator-key-length'],
    ['that is not hex', KEY.replace('4', 'G'), '422 administrator-key-not-hex'],
  ])('is refused with a key %s, and nothing of the try stays in the way', async (_what, hex, expected) => {
    const serial = `VSC-${randomUUID().slice(0, 8)}`;
    const answer = await register(serial, { administratorKey: await sealKey(system, serial, hex) });
    expect(refusal(answer)).toBe(expected);
    expect(JSON.stringify(answer.body)).not.toContain(hex.slice(0, 12));
    expect((await helpdesk().get(`/cards?q=${serial}`)).body.items).toEqual([]);
    expect((await register(serial)).status).toBe(201);
  });

  it('is refused with a key in clear, with one sealed for another card, and under a serial that another card has', async () => {
    expect(refusal(await register('VSC-00010', { administratorKey: KEY }))).toBe('422 administrator-key-not-sealed');
    const other = await sealKey(system, 'VSC-00011', KEY);
    expect(refusal(await register('VSC-00010', { administratorKey: other }))).toBe(
      '422 administrator-key-sealed-for-another-card',
    );
    expect((await register('VSC-00012')).status).toBe(201);
    expect(refusal(await register('VSC-00012'))).toBe('409 card-serial-taken');
  });

  it('must be of a person and a device that are there', async () => {
    const person = await register('VSC-00020', { personId: randomUUID() });
    expect(refusal(person)).toBe('422 field-invalid');
    expect(person.body.errors[0].pointer).toBe('/personId');
    const device = await register('VSC-00020', { deviceId: randomUUID() });
    expect(device.body.errors[0].pointer).toBe('/deviceId');
  });
});

describe('retiring a card', () => {
  it('takes it out of use for ever and revokes its certificates, with who and why', async () => {
    const { person, code } = await newCode(system);
    const { cardId, certificateId } = await rawDevice(system).enrol(code);
    const retired = await officer().post(`/cards/${cardId}/retirements`, {
      reason: 'Left the company',
      ticket: 'INC-7',
    });
    expect(retired.status).toBe(201);
    expect(retired.body).toMatchObject({ id: cardId, state: 'retired' });
    const certificate = (await helpdesk().get(`/certificates/${certificateId}`)).body;
    expect(certificate).toMatchObject({
      status: 'revoked',
      revocation: { reason: 'cessationOfOperation', comment: 'Left the company' },
    });
    const actions = (await system.as('auditor').get(`/audit/events?cardId=${cardId}&limit=4`)).body.items;
    expect(actions.map((event: { action: string }) => event.action)).toEqual([
      'certificate.revoked',
      'certificate.revocation-requested',
      'task.queued',
      'card.retired',
    ]);
    expect(actions[3]).toMatchObject({
      personId: person.id,
      reason: 'Left the company',
      ticket: 'INC-7',
      before: { state: 'active' },
      after: { state: 'retired' },
    });
    const offered: readonly { action: string; allowed: boolean; disabledReason: string }[] = (
      await officer().get(`/cards/${cardId}`)
    ).body.allowedActions;
    // Another card may take its place.
    expect(offered.filter(({ allowed }) => allowed)).toMatchObject([{ action: 'reissue' }]);
    expect(offered.find(({ action }) => action === 'retire')?.disabledReason).toBe('The card is retired already.');
  });

  it('is refused the second time, and for a card that is not there', async () => {
    const { body: card } = await register('VSC-00030');
    const retire = (id: string) => officer().post(`/cards/${id}/retirements`, { reason: 'Lost interest' });
    expect((await retire(card.id)).status).toBe(201);
    expect(refusal(await retire(card.id))).toBe('409 card-already-retired');
    expect(refusal(await retire(randomUUID()))).toBe('404 not-found');
  });

  it('happens once, however many ask at once', async () => {
    const { body: card } = await register('VSC-00031');
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => officer().post(`/cards/${card.id}/retirements`, { reason: 'All at once' })),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409, 409, 409]);
    const events = await system.as('auditor').get(`/audit/events?cardId=${card.id}&action=card.retired&outcome=done`);
    expect(events.body.items).toHaveLength(1);
  });
});

describe('one search', () => {
  it('finds people, cards, devices and certificates by any part that tells them', async () => {
    const { person, code } = await newCode(system, await registerPerson(system, 'Ludmila Searchable'));
    const device = rawDevice(system);
    const { cardId, cardSerial, certificateId } = await device.enrol(code);
    const certificate = (await helpdesk().get(`/certificates/${certificateId}`)).body;
    const find = async (q: string) => {
      const { items } = (await helpdesk().get(`/search?q=${encodeURIComponent(q)}`)).body;
      return items.map((hit: { kind: string; id: string }) => `${hit.kind} ${hit.id}`);
    };
    expect(await find('searchab')).toContain(`person ${person.id}`);
    expect(await find(person.userPrincipalName.toUpperCase())).toContain(`person ${person.id}`);
    expect(await find(cardSerial.toLowerCase())).toEqual([`card ${cardId}`]);
    expect(await find('lap-04')).toContain(`device ${certificate.deviceId}`);
    expect(await find(certificate.serialNumber)).toEqual([`certificate ${certificateId}`]);
    expect(await find(certificate.thumbprint.slice(0, 12).toUpperCase())).toEqual([`certificate ${certificateId}`]);
    expect(await find('no such thing anywhere')).toEqual([]);
  });
});
