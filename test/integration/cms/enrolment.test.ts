import { X509Certificate } from 'node:crypto';
import { until } from '@cardwright/infra';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestSystem, type TestSystem } from '../../support/system.ts';
import { csr, expectStatus, NV_INDEX, newCode, nonce, rawDevice, refusal, withBadSignature } from './raw-device.ts';

let system: TestSystem;
beforeAll(async () => {
  system = await startTestSystem();
}, 120_000);
afterAll(async () => {
  await system?.remove();
});

const stateOf = async (cardId: string) => (await system.as('auditor').get(`/cards/${cardId}`)).body.state;
const certificatesOf = async (cardId: string) =>
  (await system.as('auditor').get(`/cards/${cardId}/certificates`)).body.items as { id: string; status: string }[];

describe('an enrolment code', () => {
  it('is forgiven its case, its spaces and the letters that look like digits', async () => {
    const { code } = await newCode(system);
    const typed = ` ${code.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l')} `;
    expect((await rawDevice(system).claim(typed)).status).toBe(200);
  });

  it('is stored as a hash alone', async () => {
    const { code, enrolmentId } = await newCode(system);
    const rows = await system.query('SELECT row_to_json(e)::text AS row FROM enrolments e WHERE id = $1', [
      enrolmentId,
    ]);
    expect(rows[0].row).not.toContain(code);
    expect(rows[0].row).not.toContain(code.replaceAll('-', ''));
  });

  it('that is unknown or no code at all is refused', async () => {
    const device = rawDevice(system);
    expect(refusal(await device.claim('0000-0000-0000'))).toBe('422 enrolment-code-unknown');
    expect(refusal(await device.claim('hello'))).toBe('422 enrolment-code-unknown');
  });

  it('belongs to the first device, which may ask again', async () => {
    const { code } = await newCode(system);
    const device = rawDevice(system);
    const first = expectStatus(200, await device.claim(code)).body;
    const { serverTime: _, ...again } = expectStatus(200, await device.claim(code)).body;
    expect(first).toMatchObject(again);
    expect(refusal(await rawDevice(system).claim(code))).toBe('409 enrolment-code-used');
  });

  it('of two claims at once goes to one', async () => {
    const { code, enrolmentId } = await newCode(system);
    const answers = await Promise.all(Array.from({ length: 6 }, () => rawDevice(system).claim(code)));
    const won = answers.filter((answer) => answer.status === 200);
    expect(won).toHaveLength(1);
    expect(answers.filter((one) => one.status !== 200).map(refusal)).toEqual(Array(5).fill('409 enrolment-code-used'));
    const cards = await system.query(
      'SELECT c.id FROM cards c JOIN enrolments e ON e.person_id = c.person_id WHERE e.id = $1',
      [enrolmentId],
    );
    expect(cards).toHaveLength(1);
  });

  it('is refused when its time has passed or an operator cancelled it', async () => {
    const late = await newCode(system);
    await system.query(`UPDATE enrolments SET expires_at = now() - interval '1 second' WHERE id = $1`, [
      late.enrolmentId,
    ]);
    expect(refusal(await rawDevice(system).claim(late.code))).toBe('409 enrolment-code-expired');
    const shown = await system.as('auditor').get(`/enrolments/${late.enrolmentId}`);
    expect(shown.body).toMatchObject({ state: 'expired', cardId: null });
    const other = await newCode(system);
    const cancel = () =>
      system.as('helpdesk').post(`/enrolments/${other.enrolmentId}/cancellations`, { reason: 'Wrong person' });
    expect((await cancel()).body.state).toBe('cancelled');
    expect(refusal(await rawDevice(system).claim(other.code))).toBe('409 enrolment-cancelled');
    expect(refusal(await cancel())).toBe('409 enrolment-cancelled');
  });
});

describe('an unfinished card that an operator retired', () => {
  const retire = (cardId: string) =>
    system.as('security-officer').post(`/cards/${cardId}/retirements`, { reason: 'Begun by mistake' });

  it('does not keep its enrolment from being cancelled', async () => {
    const { code, enrolmentId } = await newCode(system);
    const { cardId } = expectStatus(200, await rawDevice(system).claim(code)).body;
    expectStatus(201, await retire(cardId));
    const reason = 'Nobody goes on with it';
    const cancelled = await system.as('helpdesk').post(`/enrolments/${enrolmentId}/cancellations`, { reason });
    expect(expectStatus(201, cancelled).body.state).toBe('cancelled');
    expect(await stateOf(cardId)).toBe('retired');
  });

  it('does not keep its device from beginning anew', async () => {
    const device = rawDevice(system);
    const { person, code } = await newCode(system);
    const { cardId } = await device.begin(code);
    expectStatus(201, await retire(cardId));
    const again = await newCode(system, person);
    const { cardId: nextId } = await device.enrol(again.code);
    expect([await stateOf(cardId), await stateOf(nextId)]).toEqual(['retired', 'active']);
  });
});

describe('the steps of a device', () => {
  it('make a card in use, whose key is confirmed, and whose certificate names the person and not what the request said', async () => {
    const { code, person } = await newCode(system);
    const device = rawDevice(system);
    const card = await device.enrol(code);
    expect(await stateOf(card.cardId)).toBe('active');
    const keys = await system.query('SELECT state FROM vault.administrator_keys WHERE card_id = $1', [card.cardId]);
    expect(keys.map((key) => key.state)).toEqual(['confirmed']);
    const shown = (await system.as('auditor').get(`/certificates/${card.certificateId}`)).body;
    const certificate = new X509Certificate(Buffer.from(shown.certificate, 'base64'));
    expect(certificate.subject).toBe(`CN=${person.displayName}`);
    expect(certificate.subjectAltName).toContain(person.userPrincipalName);
    expect(shown).toMatchObject({ status: 'active', person: { id: person.id }, card: { serial: card.cardSerial } });
    expect(shown.thumbprint).toBe(certificate.fingerprint256.replaceAll(':', '').toLowerCase());
    const events = await system.as('auditor').get(`/audit/events?cardId=${card.cardId}&limit=50`);
    const actions = events.body.items.map((event: { action: string }) => event.action).reverse();
    expect(actions).toEqual([
      'enrolment.claimed',
      'card.requested',
      'administrator-key.requested',
      'administrator-key.made',
      'first-write.requested',
      'first-write.approved',
      'card.created',
      'certificate.requested',
      'certificate.issued',
      'enrolment.completion-requested',
      'card.activated',
      'enrolment.completed',
    ]);
    expect((await card.step('completions', { nvIndex: NV_INDEX })).body).toEqual({ state: 'completed' });
    expect((await device.claim(code)).body.state).toBe('completed');
    const second = await newCode(system, person);
    expect(refusal(await device.claim(second.code))).toBe('409 card-already-active');
  });

  it('are refused out of their order, with nothing changed', async () => {
    const { code } = await newCode(system);
    const device = rawDevice(system);
    const { enrolmentId, cardId } = expectStatus(200, await device.claim(code)).body;
    const step = (name: string, body: unknown) => device.api.post(`/agent/enrolments/${enrolmentId}/${name}`, body);
    const early = await step('certificate-requests', { container: 'sign-in', csr: csr() });
    expect(refusal(early)).toBe('409 first-write-missing');
    expect(refusal(await step('completions', { nvIndex: NV_INDEX }))).toBe('409 enrolment-not-finished');
    const unknownKey = { keyVersion: 7, nvIndex: NV_INDEX, nonce: nonce() };
    expect(refusal(await step('first-writes', unknownKey))).toBe('404 administrator-key-unknown');
    expect(await stateOf(cardId)).toBe('requested');
    expect(await certificatesOf(cardId)).toEqual([]);
  });

  it('have the first write signed once a key, and the lost answer given again', async () => {
    const { code } = await newCode(system);
    const card = await rawDevice(system).begin(code);
    const { keyVersion } = card;
    const again = await card.step('first-writes', { keyVersion, nvIndex: NV_INDEX, nonce: nonce() });
    expect(refusal(again)).toBe('409 first-write-already-signed');
    const parentPublic = Buffer.from(rawDevice(system).parent.public).toString('base64');
    const next = expectStatus(201, await card.step('administrator-keys', { parentPublic })).body;
    const write = { keyVersion: next.keyVersion, nvIndex: NV_INDEX + 1, nonce: nonce() };
    const first = expectStatus(201, await card.step('first-writes', write));
    expect((await card.step('first-writes', write)).body).toEqual(first.body);
    expectStatus(201, await card.step('certificate-requests', { container: 'sign-in', csr: csr() }));
    expect(refusal(await card.step('completions', { nvIndex: NV_INDEX }))).toBe('422 nv-index-not-of-this-card');
    expect(await stateOf(card.cardId)).toBe('created');
    expectStatus(201, await card.step('completions', { nvIndex: NV_INDEX + 1 }));
  });

  it('refuse a request that is no request, of another key type, or not signed by its own key, and record no certificate', async () => {
    const { code } = await newCode(system);
    const card = await rawDevice(system).begin(code);
    const ask = (request: string, container = 'sign-in') =>
      card.step('certificate-requests', { container, csr: request });
    expect(refusal(await ask(withBadSignature(csr())))).toBe('422 csr-signature-invalid');
    expect(refusal(await ask(csr('rsa-2048')))).toBe('422 csr-key-not-allowed');
    expect(refusal(await ask(csr('ec-p384')))).toBe('422 csr-key-not-allowed');
    expect(refusal(await ask(Buffer.from('no request at all').toString('base64')))).toBe('422 csr-malformed');
    expect(refusal(await ask(csr(), 'signature'))).toBe('422 container-unknown');
    expect(await certificatesOf(card.cardId)).toEqual([]);
    expect(await stateOf(card.cardId)).toBe('requested');
  });

  it('give the same certificate for the same request, and revoke it when the device asks with another key', async () => {
    const { code } = await newCode(system);
    const card = await rawDevice(system).begin(code);
    const request = csr();
    const ask = async (one: string) =>
      expectStatus(201, await card.step('certificate-requests', { container: 'sign-in', csr: one })).body;
    const [first, same] = await Promise.all([ask(request), ask(request)]);
    expect(same).toEqual(first);
    const other = await ask(csr());
    expect(other.certificateId).not.toBe(first.certificateId);
    const statuses = (await certificatesOf(card.cardId)).map((one) => one.status);
    expect(statuses).toEqual(['active', 'revoked']);
    const before = (await system.as('auditor').get(`/certificates/${first.certificateId}`)).body;
    expect(before.revocation).toMatchObject({ reason: 'superseded', state: 'confirmed' });
  });

  it("are not there for another device, nor for an operator's token", async () => {
    const { code } = await newCode(system);
    const card = await rawDevice(system).begin(code);
    const stranger = rawDevice(system);
    await stranger.begin((await newCode(system)).code);
    const url = `/agent/enrolments/${card.enrolmentId}/completions`;
    expect(refusal(await stranger.api.post(url, { nvIndex: NV_INDEX }))).toBe('404 not-found');
    expect(refusal(await system.as('security-officer').post(url, { nvIndex: NV_INDEX }))).toBe(
      '403 permission-missing',
    );
  });

  it('end when an operator cancels in the middle: the card is retired, its certificate revoked', async () => {
    const { code, enrolmentId } = await newCode(system);
    const card = await rawDevice(system).begin(code);
    expectStatus(201, await card.step('certificate-requests', { container: 'sign-in', csr: csr() }));
    expectStatus(
      201,
      await system.as('helpdesk').post(`/enrolments/${enrolmentId}/cancellations`, { reason: 'Lost laptop' }),
    );
    expect(refusal(await card.step('completions', { nvIndex: NV_INDEX }))).toBe('409 enrolment-cancelled');
    expect(await stateOf(card.cardId)).toBe('retired');
    expect((await certificatesOf(card.cardId)).map((one) => one.status)).toEqual(['revoked']);
  });

  it('begun anew by the same device give up the unfinished card', async () => {
    const { code, person } = await newCode(system);
    const device = rawDevice(system);
    const first = await device.begin(code);
    expectStatus(201, await first.step('certificate-requests', { container: 'sign-in', csr: csr() }));
    const second = await device.enrol((await newCode(system, person)).code);
    expect(await stateOf(first.cardId)).toBe('retired');
    expect((await certificatesOf(first.cardId)).map((one) => one.status)).toEqual(['revoked']);
    expect(await stateOf(second.cardId)).toBe('active');
  });
});

describe('with a system away', () => {
  it('a completion fails whole, and the same completion does it when the vault is back', async () => {
    const { code } = await newCode(system);
    const card = await rawDevice(system).begin(code);
    expectStatus(201, await card.step('certificate-requests', { container: 'sign-in', csr: csr() }));
    await system.processes.vault.kill();
    expect(refusal(await card.step('completions', { nvIndex: NV_INDEX }))).toBe('503 vault-unavailable');
    expect(await stateOf(card.cardId)).toBe('created');
    await system.processes.vault.start();
    expectStatus(201, await card.step('completions', { nvIndex: NV_INDEX }));
    expect(await stateOf(card.cardId)).toBe('active');
  });

  it('a certificate that the CA could not be asked for is one certificate, whoever asks again', async () => {
    const { code } = await newCode(system);
    const card = await rawDevice(system).begin(code);
    const body = { container: 'sign-in', csr: csr() };
    await system.processes.ca.kill();
    expect(refusal(await card.step('certificate-requests', body))).toBe('503 ca-unavailable');
    expect((await certificatesOf(card.cardId)).map((one) => one.status)).toEqual(['proposed']);
    await system.processes.ca.start();
    const issued = expectStatus(201, await card.step('certificate-requests', body)).body;
    expect(await certificatesOf(card.cardId)).toMatchObject([{ id: issued.certificateId, status: 'active' }]);
  });

  it('the worker gets the certificate when the device never comes back', async () => {
    const { code } = await newCode(system);
    const card = await rawDevice(system).begin(code);
    await system.processes.ca.kill();
    const asked = await card.step('certificate-requests', { container: 'sign-in', csr: csr() });
    expect(refusal(asked)).toBe('503 ca-unavailable');
    await system.processes.ca.start();
    await system.query(`UPDATE certificates SET created_at = created_at - interval '1 minute' WHERE card_id = $1`, [
      card.cardId,
    ]);
    await until(
      { what: 'the worker to have it issued', seconds: 40 },
      async () => (await certificatesOf(card.cardId))[0]?.status === 'active',
    );
    const [certificate] = await certificatesOf(card.cardId);
    const events = await system
      .as('auditor')
      .get(`/audit/events?certificateId=${certificate?.id}&action=certificate.issued`);
    expect(events.body.items).toMatchObject([{ actor: { kind: 'system', id: 'worker' } }]);
  });
});

/** Last, because it uses up what this address may ask in a minute. */
it('guessing codes is slowed down', async () => {
  const device = rawDevice(system);
  const answers = await Promise.all(Array.from({ length: 150 }, () => device.claim('0000-0000-0000')));
  const limited = answers.find((answer) => answer.status === 429);
  expect(limited?.body.code).toBe('rate-limited');
  expect(Number(limited?.headers.get('retry-after'))).toBeGreaterThan(0);
});
