import { createCipheriv, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registerPerson } from '../../support/people.ts';
import type { Answer } from '../../support/rest.ts';
import { sealKey } from '../../support/seal-key.ts';
import { startTestSystem, type TestSystem } from '../../support/system.ts';
import { newCode, rawDevice } from './raw-device.ts';

let system: TestSystem;
beforeAll(async () => {
  system = await startTestSystem({ environment: { vault: { VAULT_UNIFORM_KEYS: 'allowed' } } });
});
afterAll(() => system.remove());

const officer = () => system.as('security-officer');
const helpdesk = () => system.as('helpdesk');
const refusal = ({ status, body }: Answer) => `${status} ${body.code}`;
const pointer = ({ body }: Answer) => `${body.code} ${body.errors?.[0]?.pointer}`;
const verification = { method: 'video', evidence: 'Compared with the badge photo' };

async function register(serial: string, body: Record<string, unknown>): Promise<Answer> {
  const { id: personId } = await registerPerson(system, 'Stella Strategy');
  return officer().post('/cards', { personId, serial, ...body });
}
const open = (cardId: string) =>
  helpdesk().post(`/cards/${cardId}/unblock-sessions`, { verification, reason: 'Forgot the PIN' });

async function unblocked(cardId: string, challenge: string): Promise<string> {
  const { body: session } = await open(cardId);
  const answer = await helpdesk().post(`/unblock-sessions/${session.id}/responses`, { challenge });
  return answer.body.response?.replaceAll(' ', '') ?? refusal(answer);
}

function encrypted(cipher: string, key: Buffer, challenge: string): string {
  const with0 = createCipheriv(cipher, key, null).setAutoPadding(false);
  return with0.update(Buffer.from(challenge, 'hex')).toString('hex').toUpperCase();
}

describe('a uniform key', () => {
  const KEY = randomBytes(24);
  const CHALLENGE = '1603EBDF1C8A2E72';

  it('is flagged on its profile and its cards, and all its cards can be listed', async () => {
    const key = await sealKey(system, 'old-fleet', KEY.toString('hex'), 'uniform-key');
    const named = await officer().post('/named-keys', {
      name: 'old-fleet',
      kind: 'uniform-key',
      algorithm: 'tdes',
      key,
    });
    expect(named.status).toBe(201);
    const profile = await officer().post('/card-profiles', {
      name: 'old-fleet-cards',
      displayName: 'Cards of the old fleet',
      algorithm: 'tdes',
      keyStrategy: 'uniform',
      namedKey: 'old-fleet',
    });
    expect(profile.status).toBe(201);
    expect(profile.body.keyStrategyWarning).toMatch(/^Unsafe: many cards share this administrator key/);
    expect(profile.body.algorithmWarning).toMatch(/^Legacy interoperability/);
    const cards = [await register('OLD-1', { cardProfile: 'old-fleet-cards' })];
    cards.push(await register('OLD-2', { cardProfile: 'old-fleet-cards', keyCheckValue: named.body.kcv }));
    expect(cards.map(({ status }) => status)).toEqual([201, 201]);
    expect(cards[0]?.body).toMatchObject({
      keyStrategy: 'uniform',
      keyStrategyWarning: profile.body.keyStrategyWarning,
      namedKey: 'old-fleet',
      algorithm: 'tdes',
      state: 'active',
    });
    await register('OTHER-1', {
      algorithm: 'aes-128',
      administratorKey: await sealKey(system, 'OTHER-1', randomBytes(16).toString('hex')),
    });
    const { items } = (await helpdesk().get('/cards?namedKey=old-fleet')).body;
    expect(items.map((card: { serial: string }) => card.serial)).toEqual(['OLD-2', 'OLD-1']);
    expect((await helpdesk().get('/cards?keyStrategy=uniform')).body.items).toHaveLength(2);
    expect(await unblocked(cards[1]?.body.id, CHALLENGE)).toBe(encrypted('des-ede3', KEY, CHALLENGE));
  });

  it('of another check value than the card is refused, and the try leaves nothing', async () => {
    const refused = await register('OLD-3', { cardProfile: 'old-fleet-cards', keyCheckValue: 'abcdef' });
    expect(refusal(refused)).toBe('422 key-check-value');
    expect((await helpdesk().get('/cards?q=OLD-3')).body.items).toEqual([]);
  });
});

describe('a key that follows from the master of another fleet', () => {
  it('answers as AN10922 says', async () => {
    const key = await sealKey(system, 'nxp', '00112233445566778899AABBCCDDEEFF', 'an10922-master');
    await officer().post('/named-keys', { name: 'nxp', kind: 'an10922-master', algorithm: 'aes-128', key });
    const profile = { name: 'nxp-cards', displayName: 'NXP', algorithm: 'aes-128', keyStrategy: 'deterministic' };
    await officer().post('/card-profiles', { ...profile, namedKey: 'nxp', derivation: 'an10922' });
    expect(pointer(await register('NXP-0', { cardProfile: 'nxp-cards' }))).toBe('field-invalid /diversifier');
    const card = await register('NXP-1', {
      cardProfile: 'nxp-cards',
      diversifier: '04782E21801D803042F54E585020416275',
    });
    expect(card.body).toMatchObject({ keyStrategy: 'deterministic', namedKey: 'nxp', keyStrategyWarning: null });
    const challenge = randomBytes(16).toString('hex').toUpperCase();
    const expected = encrypted('aes-128-ecb', Buffer.from('A8DD63A3B89D54B37CA802473FDA9175', 'hex'), challenge);
    expect(await unblocked(card.body.id, challenge)).toBe(expected);
  });
});

describe('a key that is not stored', () => {
  const why = 'The key of this card was not stored, as its profile asks. Only a PUK or a reissue can help.';

  it('of a minidriver card: the card says that only a PUK or a reissue can help', async () => {
    const card = await register('LOST-1', { cardProfile: 'minidriver-not-stored' });
    expect(card.body).toMatchObject({ state: 'active', keyVersion: null, keyStrategy: 'random-not-stored' });
    const [unblock] = (await helpdesk().get(`/cards/${card.body.id}`)).body.allowedActions;
    expect(unblock).toEqual({ action: 'unblock', allowed: false, disabledReason: why });
    expect(refusal(await open(card.body.id))).toBe('409 administrator-key-not-stored');
    const key = await sealKey(system, 'LOST-2', randomBytes(24).toString('hex'));
    const sent = await register('LOST-2', { cardProfile: 'minidriver-not-stored', administratorKey: key });
    expect(pointer(sent)).toBe('field-invalid /administratorKey');
  });

  it('of a card in a TPM signs its first write, and is dropped when the card is complete', async () => {
    const { person } = await newCode(system);
    const { body } = await helpdesk().post('/enrolments', { personId: person.id, cardProfile: 'tpm-not-stored' });
    const { cardId } = await rawDevice(system).enrol(body.code);
    const card = (await helpdesk().get(`/cards/${cardId}`)).body;
    expect(card).toMatchObject({ keyStrategy: 'random-not-stored', state: 'active', keyVersion: 1 });
    expect(card.allowedActions[0]).toEqual({ action: 'unblock', allowed: false, disabledReason: why });
    expect(await system.query('SELECT 1 FROM vault.secrets WHERE card_id = $1', [cardId])).toEqual([]);
  });
});

describe('a profile', () => {
  it('says what is to be sent, and each field that is too many or missing', async () => {
    const key = await sealKey(system, 'P-1', randomBytes(24).toString('hex'));
    const send = async (body: Record<string, unknown>) => pointer(await register('P-1', body));
    expect(await send({})).toBe('field-invalid /algorithm');
    expect(await send({ algorithm: 'tdes' })).toBe('field-invalid /administratorKey');
    expect(await send({ algorithm: 'tdes', administratorKey: key, diversifier: '00' })).toBe(
      'field-invalid /diversifier',
    );
    expect(await send({ cardProfile: 'no-such' })).toBe('card-profile-unknown /cardProfile');
    expect(await send({ cardProfile: 'tpm-default' })).toBe('card-profile-not-for-registration /cardProfile');
    expect(await send({ cardProfile: 'minidriver-tdes' })).toBe('field-invalid /administratorKey');
    expect(await send({ cardProfile: 'minidriver-tdes', algorithm: 'aes-128' })).toBe('field-invalid /algorithm');
    expect(await send({ cardProfile: 'minidriver-tdes', administratorKey: key, puk: key })).toBe('field-invalid /puk');
    expect(await send({ cardProfile: 'minidriver-tdes-puk', administratorKey: key })).toBe('field-invalid /puk');
    expect(
      refusal(
        await officer().post('/enrolments', {
          personId: (await registerPerson(system, 'Stella Strategy')).id,
          cardProfile: 'minidriver-tdes',
        }),
      ),
    ).toBe('422 card-profile-unknown');
  });

  it('names a key exactly where its strategy needs one, and its name is its own', async () => {
    const make = async (change: Record<string, unknown>) =>
      refusal(
        await officer().post('/card-profiles', {
          name: 'another',
          displayName: 'Another',
          algorithm: 'aes-128',
          keyStrategy: 'random-stored',
          ...change,
        }),
      );
    for (const wrong of [
      { keyStrategy: 'uniform' },
      { keyStrategy: 'uniform', namedKey: 'nxp', derivation: 'an10922' },
      { keyStrategy: 'deterministic', namedKey: 'nxp' },
      { namedKey: 'nxp' },
      { keyStrategy: 'random-not-stored', derivation: 'dogtag' },
    ]) {
      expect(await make(wrong)).toBe('422 card-profile-strategy');
    }
    expect(await make({ name: 'tpm-default' })).toBe('409 card-profile-exists');
  });
});

describe('a PUK', () => {
  const PUK = '48213907';
  async function cardWithPuk(serial: string): Promise<string> {
    const made = await register(serial, {
      cardProfile: 'minidriver-tdes-puk',
      administratorKey: await sealKey(system, serial, randomBytes(24).toString('hex')),
      puk: await sealKey(system, serial, PUK, 'puk'),
    });
    expect(made.body).toMatchObject({ puk: 'stored', state: 'active' });
    return made.body.id;
  }
  const disclose = (cardId: string) => officer().post(`/cards/${cardId}/puk-disclosures`, { reason: 'A traveller' });

  it('is shown once, to whom may, is in the log and in no other place', async () => {
    const cardId = await cardWithPuk('PUK-1');
    expect(refusal(await helpdesk().post(`/cards/${cardId}/puk-disclosures`, { reason: 'x' }))).toBe(
      '403 permission-missing',
    );
    const shown = await disclose(cardId);
    expect(shown.status).toBe(201);
    expect(shown.headers.get('cache-control')).toBe('no-store');
    expect(shown.body).toEqual({ puk: PUK });
    expect(refusal(await disclose(cardId))).toBe('409 puk-already-shown');
    const card = (await officer().get(`/cards/${cardId}`)).body;
    expect(card.puk).toBe('shown');
    expect(card.allowedActions).toContainEqual({
      action: 'show-puk',
      allowed: false,
      disabledReason: 'The PUK was shown already, and is shown once.',
    });
    const { items } = (await system.as('auditor').get(`/audit/events?cardId=${cardId}`)).body;
    const actions = items.map((event: { action: string; outcome: string }) => `${event.action} ${event.outcome}`);
    expect(actions).toEqual(
      expect.arrayContaining(['puk.requested done', 'puk.disclosed done', 'puk.disclosed refused']),
    );
    for (const table of [
      'public.cards',
      'public.audit_events',
      'public.idempotency_keys',
      'vault.secrets',
      'vault.uses',
    ]) {
      expect(JSON.stringify(await system.query(`SELECT * FROM ${table}`))).not.toContain(PUK);
    }
  });

  it('makes the administrator key no way to the PIN', async () => {
    const cardId = await cardWithPuk('PUK-2');
    const [unblock] = (await helpdesk().get(`/cards/${cardId}`)).body.allowedActions;
    expect(unblock.disabledReason).toBe(
      'This card has a PUK, so its administrator key cannot reset the PIN. The PUK can.',
    );
    expect(refusal(await open(cardId))).toBe('409 card-has-puk');
  });

  it('is not there for a card without one', async () => {
    const card = await register('PUK-3', { cardProfile: 'minidriver-not-stored' });
    expect(refusal(await disclose(card.body.id))).toBe('409 card-has-no-puk');
  });
});
