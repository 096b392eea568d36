import { verify, X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Device, newDevice } from '../../support/device.ts';
import { type Person, registerPerson } from '../../support/people.ts';
import { nothingChanges } from '../../support/snapshot.ts';
import { startTestSystem, type TestSystem } from '../../support/system.ts';
import { type Begun, csr, expectStatus, NV_INDEX, newCode, type RawDevice, rawDevice, refusal } from './raw-device.ts';

let system: TestSystem;
let person: Person;
let device: RawDevice;
let card: Begun & { certificateId: string };

beforeAll(async () => {
  system = await startTestSystem();
}, 120_000);
afterAll(() => system?.remove());
beforeEach(async () => {
  const enrolment = await newCode(system);
  person = enrolment.person;
  device = rawDevice(system);
  card = await device.enrol(enrolment.code);
});

type Role = Parameters<TestSystem['as']>[0];
const reissue = (change: object = {}, as: Role = 'security-officer', cardId = card.cardId) =>
  system.as(as).post(`/cards/${cardId}/reissues`, { reason: 'System reinstalled', ...change });
const reissued = async (change: object = {}, as: Role = 'security-officer') =>
  expectStatus(201, await reissue(change, as)).body;
const cardOf = async (id = card.cardId) => (await system.as('auditor').get(`/cards/${id}`)).body;
const certificate = async (id = card.certificateId) => (await system.as('auditor').get(`/certificates/${id}`)).body;
const cancel = (enrolmentId: string) =>
  system.as('helpdesk').post(`/enrolments/${enrolmentId}/cancellations`, { reason: 'lost' });
const events = async (action: string, cardId = card.cardId) =>
  (await system.as('auditor').get(`/audit/events?cardId=${cardId}&action=${action}`)).body.items;
const reissueAct = async (as: Role = 'helpdesk') =>
  (await system.as(as).get(`/cards/${card.cardId}`)).body.allowedActions.find(
    ({ action }: { action: string }) => action === 'reissue',
  );

describe('a reissue', () => {
  it('leaves the old card in use until the new one is active, and then retires it', async () => {
    const answer = await reissue({ ticket: 'INC-1' }, 'helpdesk');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const { code, enrolment } = expectStatus(201, answer).body;
    expect(enrolment).toMatchObject({ personId: person.id, cardProfile: 'tpm-default', replacesCardId: card.cardId });
    const again = rawDevice(system);
    const begun = await again.begin(code);
    expectStatus(201, await begun.step('certificate-requests', { container: 'sign-in', csr: csr() }));
    expect(await cardOf()).toMatchObject({ state: 'active', replacedBy: null });
    expect((await certificate()).status).toBe('active');
    expect(await reissueAct()).toMatchObject({ allowed: false, disabledReason: expect.stringMatching(/already/) });

    expectStatus(201, await begun.step('completions', { nvIndex: NV_INDEX }));
    expect(await cardOf()).toMatchObject({
      state: 'retired',
      replaces: null,
      replacedBy: { id: begun.cardId, serial: begun.cardSerial },
    });
    expect(await cardOf(begun.cardId)).toMatchObject({
      state: 'active',
      person: { id: person.id },
      replaces: { id: card.cardId, serial: card.cardSerial },
    });
    expect(await certificate()).toMatchObject({ status: 'revoked', revocation: { reason: 'superseded' } });
    expect(await events('card.reissue-requested')).toMatchObject([
      { actor: { name: 'helpdesk' }, reason: 'System reinstalled', ticket: 'INC-1' },
    ]);
    expect(await events('card.reissued')).toHaveLength(1);
    // What the old device still holds is to be destroyed, should it ever come back.
    expect((await device.checkIn()).tasks).toMatchObject([{ kind: 'destroy' }]);

    expectStatus(201, await begun.step('completions', { nvIndex: NV_INDEX }));
    expect(await events('card.reissued')).toHaveLength(1);
    expect(refusal(await reissue())).toBe('409 card-already-replaced');
  });

  it('takes the old card out of use at once where that is asked, for the reason that is said', async () => {
    const body = { oldCard: 'retire-now', revocationReason: 'keyCompromise', reason: 'Laptop stolen' };
    const { code } = await reissued(body);
    expect(await cardOf()).toMatchObject({ state: 'retired', replacedBy: null });
    expect(await certificate()).toMatchObject({
      status: 'revoked',
      revocation: { reason: 'keyCompromise', comment: 'Laptop stolen', state: 'confirmed' },
    });
    // On the very same device too: its old card is no longer in use.
    const next = await device.enrol(code);
    expect(await cardOf()).toMatchObject({ state: 'retired', replacedBy: { id: next.cardId } });
    expect(await certificate()).toMatchObject({ revocation: { reason: 'keyCompromise' } });
    expect((await certificate(next.certificateId)).status).toBe('active');
  });

  it('whose code was lost, or not used in time, is asked for anew', async () => {
    const first = await reissued({ oldCard: 'retire-now' });
    expectStatus(201, await cancel(first.enrolment.id));
    const second = await reissued({ validForSeconds: 60 });
    await system.query(`UPDATE enrolments SET expires_at = now() - interval '1 second' WHERE id = $1`, [
      second.enrolment.id,
    ]);
    expect((await reissueAct()).allowed).toBe(true);
    const third = await reissued();
    for (const { code } of [first, second]) {
      expect(refusal(await rawDevice(system).claim(code))).toBe('409 enrolment-cancelled');
    }
    const next = await rawDevice(system).enrol(third.code);
    expect(await cardOf()).toMatchObject({ replacedBy: { id: next.cardId } });
  });

  it('of many at once is one', async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => reissue()));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409, 409]);
    for (const answer of answers.filter(({ status }) => status === 409)) expect(answer.body.code).toBe('reissue-open');
  });

  it('is refused with nothing changed', async () => {
    const { code } = await reissued();
    const open = await newCode(system);
    const unfinished = await rawDevice(system).begin(open.code);
    await nothingChanges(system, async () => {
      const nowhere = '0199f2a0-3333-7000-8000-000000000003';
      expect(refusal(await reissue())).toBe('409 reissue-open');
      expect(refusal(await reissue({}, 'security-officer', unfinished.cardId))).toBe('409 card-not-active');
      expect(refusal(await reissue({}, 'security-officer', nowhere))).toBe('404 not-found');
      expect(refusal(await reissue({}, 'auditor'))).toBe('403 permission-missing');
      // Who makes codes does not take cards out of use.
      expect(refusal(await reissue({ oldCard: 'retire-now' }, 'helpdesk'))).toBe('403 permission-missing');
      expect(refusal(await reissue({ revocationReason: 'keyCompromise' }))).toBe('422 revocation-needs-retire-now');
      expect(refusal(await reissue({ oldCard: 'retire-now', revocationReason: 'unspecified' }))).toBe(
        '400 field-invalid',
      );
      // The old card is in use on this device: its place is taken until it is retired.
      expect(refusal(await device.claim(code, device.token))).toBe('409 card-already-active');
    });
  });

  it('is not of a card that was not made here', async () => {
    const serial = `VSC-${Date.now()}`;
    // As registered: what matters to a reissue is the kind alone.
    await system.query(
      `INSERT INTO cards (id, serial, person_id, kind, algorithm, key_strategy, state)
       VALUES (gen_random_uuid(), $1, $2, 'minidriver', 'tdes', 'random-stored', 'created')`,
      [serial, person.id],
    );
    const { items } = (await system.as('auditor').get(`/cards?q=${serial}`)).body;
    await nothingChanges(system, async () => {
      expect(refusal(await reissue({}, 'security-officer', items[0].id))).toBe('422 card-not-reissuable');
    });
  });

  it('does not tell the enrolment of another card to replace this one', async () => {
    const mallory = await rawDevice(system).enrol(
      (await newCode(system, await registerPerson(system, 'Mallory'))).code,
    );
    expect(await cardOf(mallory.cardId)).toMatchObject({ replaces: null });
    expect(await cardOf()).toMatchObject({ state: 'active', replacedBy: null });
  });

  it('cut off between the new card and the CA is completed by the worker', { timeout: 90_000 }, async () => {
    const { code } = await reissued();
    const begun = await rawDevice(system).begin(code);
    expectStatus(201, await begun.step('certificate-requests', { container: 'sign-in', csr: csr() }));
    await system.processes.ca.kill();
    expectStatus(201, await begun.step('completions', { nvIndex: NV_INDEX }));
    expect(await cardOf()).toMatchObject({ state: 'retired', replacedBy: { id: begun.cardId } });
    expect(await certificate()).toMatchObject({ status: 'active', revocation: { state: 'proposed' } });
    // The worker leaves a request its time first; that time is over.
    await system.query(`UPDATE revocations SET next_attempt_at = now() WHERE certificate_id = $1`, [
      card.certificateId,
    ]);
    await system.processes.ca.start();
    await expect.poll(async () => (await certificate()).status, { timeout: 40_000, interval: 300 }).toBe('revoked');
  });
});

describe('a computer whose system was installed anew', () => {
  let computer: Device;
  beforeAll(async () => {
    computer = await newDevice();
  });
  afterAll(() => computer?.remove());

  it('gets another card beside what the old one left in the TPM', { timeout: 120_000 }, async () => {
    const enrol = (on: Device, code: string) =>
      on.agent(['enrol', '--server', system.url, '--code', code, '--pin-stdin'], { input: '739154x\n' });
    const first = await newCode(system);
    expect(await enrol(computer, first.code)).toMatchObject({ exitCode: 0 });
    const [old] = (await system.as('auditor').get(`/cards?personId=${first.person.id}`)).body.items;
    const oldCertificates = (await system.as('auditor').get(`/cards/${old.id}/certificates`)).body.items;
    expect(oldCertificates).toHaveLength(1);

    const reinstalled = computer.withStore(join(computer.directory, 'store of the new system'));
    const { code } = expectStatus(201, await reissue({}, 'helpdesk', old.id)).body;
    expect(await enrol(reinstalled, code)).toMatchObject({ exitCode: 0 });
    const replaced = await cardOf(old.id);
    expect(replaced).toMatchObject({ state: 'retired', replacedBy: { id: expect.any(String) } });
    expect(await certificate(oldCertificates[0].id)).toMatchObject({ status: 'revoked' });
    const next = await cardOf(replaced.replacedBy.id);
    expect(next).toMatchObject({ state: 'active', replaces: { id: old.id }, person: { id: first.person.id } });
    expect(next.device.id).not.toBe(old.deviceId);

    const text = join(computer.directory, 'text');
    const signature = join(computer.directory, 'signature');
    await writeFile(text, 'a contract');
    const signed = await reinstalled.agent(['sign', '--in', text, '--out', signature, '--pin-stdin'], {
      input: '739154x\n',
    });
    expect(signed).toMatchObject({ exitCode: 0 });
    const [mine] = (await system.as('auditor').get(`/cards/${next.id}/certificates`)).body.items;
    const { certificate: der } = (await system.as('auditor').get(`/certificates/${mine.id}`)).body;
    const key = new X509Certificate(Buffer.from(der, 'base64')).publicKey;
    expect(verify('sha256', Buffer.from('a contract'), key, await readFile(signature))).toBe(true);
  });
});
