import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { inRepository, until } from '@cardwright/infra';
import { handOverKey, openSealedPin, parseHandOverCode } from '@cardwright/protocol/enrolment';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Device, newDevice } from '../support/device.ts';
import { type Person, registerPerson } from '../support/people.ts';
import { type Ran, refusalOf, start } from '../support/run.ts';
import { runFolder } from '../support/run-folder.ts';
import { startTestSystem, type TestSystem } from '../support/system.ts';
import { expectStatus, NV_INDEX, rawDevice, refusal } from './cms/raw-device.ts';
import { type Credential, certificateRequest, complete, softwareCredentials } from './cms/software-credential.ts';

const _PIN = '618294';
const _OWN_PIN = '729305';
const AGENT = inRepository('agent', 'bin', 'cardwright-agent.mjs');
const PIN = '618294';
const OWN_PIN = '729305';
const inPerson = { method: 'in-person', evidence: 'Passport, photograph compared' };
const PROFILES = {
  vouched: { enrolmentMethods: ['on-behalf'] },
  signed: { enrolmentMethods: ['existing-certificate'], signerAssurance: 'low' },
  'signed-well': { enrolmentMethods: ['existing-certificate'], signerAssurance: 'substantial' },
  supervised: { enrolmentMethods: ['pre-provisioned', 'on-behalf'], initialPin: 'supervised' },
  'handed-over': { enrolmentMethods: ['pre-provisioned'], initialPin: 'handed-over' },
};

let system: TestSystem;
const directory = mkdtempSync(join(runFolder(), 'methods-'));
const { softwareKey, credential: credentialOf, statementOf, jwsOf, cmsOf } = softwareCredentials(directory);
const credential = (enrolment: Made) => credentialOf(system, enrolment);
beforeAll(async () => {
  system = await startTestSystem({ dataDir: join(directory, 'system') });
  for (const [name, rules] of Object.entries(PROFILES)) {
    const base = { name, displayName: name, algorithm: 'hmac-sha256', keyStrategy: 'random-stored' };
    expectStatus(201, await system.as('security-officer').post('/card-profiles', { ...base, ...rules }));
  }
}, 120_000);
afterAll(async () => {
  await system?.remove();
  rmSync(directory, { recursive: true, force: true });
});

interface Made {
  readonly person: Person;
  readonly enrolmentId: string;
  readonly code: string;
  readonly handOverCode: string;
}
const ask = (body: object) => system.as('helpdesk').post('/enrolments', body);
async function made(cardProfile: string | undefined, more: object = {}, owner?: Person): Promise<Made> {
  const person = owner ?? (await registerPerson(system, 'Mary Major'));
  const { body } = expectStatus(201, await ask({ personId: person.id, ...(cardProfile && { cardProfile }), ...more }));
  return { person, enrolmentId: body.enrolment.id, code: body.code, handOverCode: body.handOverCode };
}

const assuranceOf = async (certificateId: string) =>
  (await system.as('auditor').get(`/certificates/${certificateId}`)).body.assurance;
const vouchersOf = async ({ enrolmentId }: Made) =>
  (await system.as('auditor').get(`/enrolments/${enrolmentId}/vouchers`)).body.items;

describe('an enrolment on behalf', () => {
  it('is made by who has verified the person, which is kept for ever, and raises what the certificate is worth', async () => {
    const enrolment = await made('vouched', { verification: { ...inPerson, note: 'With her manager' } });
    const { certificateId } = await credential(enrolment);
    expect(await assuranceOf(certificateId)).toBe('substantial');
    expect(await assuranceOf((await credential(await made(undefined))).certificateId)).toBe('low');
    const [voucher] = await vouchersOf(enrolment);
    expect(voucher).toMatchObject({ kind: 'identity', ...inPerson, note: 'With her manager', depth: 0 });
    expect(voucher.operator.name).toBe('helpdesk');
    for (const change of [`UPDATE enrolment_vouchers SET evidence = 'none'`, 'DELETE FROM enrolment_vouchers']) {
      await expect(system.query(change)).rejects.toThrow('append-only');
    }
    const events = await system.as('auditor').get(`/audit/events?enrolmentId=${enrolment.enrolmentId}&limit=50`);
    const requested = events.body.items.find((one: { action: string }) => one.action === 'certificate.requested');
    expect(requested.after.assurance).toBe('substantial');
    const found = await system.as('auditor').get('/certificates?assurance=substantial');
    expect(found.body.items.map((one: { id: string }) => one.id)).toEqual([certificateId]);
  });

  it('is refused without a verification, with one that nobody asked for, in another way, and for oneself', async () => {
    const { id: personId } = await registerPerson(system, 'Mary Major');
    expect(refusal(await ask({ personId, cardProfile: 'vouched' }))).toBe('422 verification-required');
    expect(refusal(await ask({ personId, verification: inPerson }))).toBe('422 verification-not-for-method');
    const other = await ask({ personId, cardProfile: 'vouched', method: 'code' });
    expect([refusal(other), other.body.data.allowed]).toEqual(['422 enrolment-method-not-allowed', ['on-behalf']]);
    const self = await system.as('helpdesk').post('/people', {
      ...{ displayName: 'Help Desk', userPrincipalName: `HelpDesk@${randomBytes(4).toString('hex')}.example` },
    });
    const forSelf = await ask({ personId: self.body.id, cardProfile: 'vouched', verification: inPerson });
    expect(refusal(forSelf)).toBe('403 vouching-for-oneself');
  });

  it('needs a profile whose rules make sense', async () => {
    const base = { name: 'no-sense', displayName: 'x', algorithm: 'hmac-sha256', keyStrategy: 'random-stored' };
    const profile = (more: object) => system.as('security-officer').post('/card-profiles', { ...base, ...more });
    expect(refusal(await profile({ enrolmentMethods: ['pre-provisioned'] }))).toBe('422 card-profile-enrolment');
    const minidriver = { algorithm: 'aes-128', initialPin: 'supervised' };
    expect(refusal(await profile(minidriver))).toBe('422 card-profile-not-for-kind');
  });
});

describe('an enrolment that an existing certificate signs for', () => {
  const begun = async (profile: string, { person }: Credential) =>
    rawDevice(system).begin((await made(profile, {}, person)).code);

  it('is made with a JWS, and with CMS by openssl, and the chain of who vouched goes on', async () => {
    const first = await made('vouched', { verification: inPerson });
    const old = await credential(first);
    for (const proofOf of [jwsOf, cmsOf]) {
      const enrolment = await made('signed', {}, old.person);
      const card = await rawDevice(system).begin(enrolment.code);
      const { csr } = softwareKey();
      const proof = proofOf(old, await statementOf(card, csr));
      const issued = expectStatus(201, await certificateRequest(card, csr, { proof })).body;
      // A lost answer is given again, and needs no second signature.
      expect((await certificateRequest(card, csr)).body).toEqual(issued);
      expectStatus(201, await complete(card));
      expect(await assuranceOf(issued.certificateId)).toBe('substantial');
      const [near, far] = await vouchersOf(enrolment);
      expect(near).toMatchObject({ kind: 'certificate', certificateId: old.certificateId, operator: null, depth: 0 });
      expect(far).toMatchObject({ kind: 'identity', enrolmentId: first.enrolmentId, depth: 1, ...inPerson });
    }
    const attached = await begun('signed', old);
    const { csr } = softwareKey();
    const proof = cmsOf(old, await statementOf(attached, csr), '-nodetach', '-nocerts', '-md', 'sha512');
    expectStatus(201, await certificateRequest(attached, csr, { proof }));
  });

  it('is refused without a proof, and with one of anything else', async () => {
    const old = await credential(await made(undefined));
    const card = await begun('signed', old);
    const { csr } = softwareKey();
    const refused = async (proof?: object, request = csr): Promise<string> =>
      refusal(await certificateRequest(card, request, proof === undefined ? {} : { proof }));
    const statement = await statementOf(card, csr);
    const good = jwsOf(old, statement);
    expect(await refused()).toBe('422 proof-required');
    expect(await refused({ jws: 'e30..AA' })).toBe('422 proof-malformed');
    expect(await refused({ cms: randomBytes(64).toString('base64') })).toBe('422 proof-malformed');
    // The request was exchanged for another: by who holds the device, or by a hostile server between.
    expect(await refused(good, softwareKey().csr)).toBe('422 proof-signature-invalid');
    // That try has used the nonce up: also the right request is not proven any more.
    expect(await refused(good)).toBe('409 proof-expired');
    const cms = cmsOf(old, await statementOf(card, csr));
    expect(await refused(cms, softwareKey().csr)).toBe('422 proof-of-another-request');
    const stale = jwsOf(old, await statementOf(card, csr, { nonce: randomBytes(32) }));
    expect(await refused(stale)).toBe('422 proof-signature-invalid');
    const elsewhere = cmsOf(old, await statementOf(card, csr, { container: 'signature' }));
    expect(await refused(elsewhere)).toBe('422 proof-of-another-request');
    const late = jwsOf(old, await statementOf(card, csr));
    await system.query(`UPDATE enrolment_nonces SET expires_at = now() - interval '1 second'`);
    expect(await refused(late)).toBe('409 proof-expired');
    // Another key that says it is this certificate's.
    const forged = jwsOf({ ...old, file: softwareKey().file }, await statementOf(card, csr));
    expect(await refused(forged)).toBe('422 proof-signature-invalid');
    expect((await system.as('auditor').get(`/cards/${card.cardId}/certificates`)).body.items).toEqual([]);
  });

  it('is refused by who signs: unknown, of somebody else, too weak, held, revoked, expired', async () => {
    const old = await credential(await made(undefined));
    const card = await begun('signed', old);
    const { csr } = softwareKey();
    const by = async (signer: Credential) =>
      refusal(await certificateRequest(card, csr, { proof: jwsOf(signer, await statementOf(card, csr)) }));
    const stranger = await credential(await made(undefined));
    expect(await by(stranger)).toBe('422 signer-of-another-person');
    expect(await by({ ...old, der: randomBytes(300) })).toBe('422 signer-unknown');
    const strict = await begun('signed-well', old);
    const proof = jwsOf(old, await statementOf(strict, csr));
    expect(refusal(await certificateRequest(strict, csr, { proof }))).toBe('422 signer-assurance-too-low');

    // The certificate is signed over by the CA: time can pass for the record alone.
    const ended = (await system.query('SELECT not_after FROM certificates WHERE id = $1', [old.certificateId]))[0];
    const until = (at: unknown) =>
      system.query('UPDATE certificates SET not_after = $2 WHERE id = $1', [old.certificateId, at]);
    await until(new Date(Date.now() - 1000));
    expect(await by(old)).toBe('422 signer-expired');
    await until(ended.not_after);
    const officer = system.as('security-officer');
    const act = async (what: string, body: object) =>
      expectStatus(201, await officer.post(`/certificates/${old.certificateId}/${what}`, body));
    await act('holds', { comment: 'Card not found today' });
    expect(await by(old)).toBe('422 signer-on-hold');
    await act('releases', { comment: 'Found' });
    await act('revocations', { reason: 'keyCompromise', comment: 'Lost' });
    expect(await by(old)).toBe('422 signer-revoked');
  });

  it('is not for other enrolments, nor for other devices', async () => {
    const old = await credential(await made(undefined));
    const plain = await rawDevice(system).begin((await made(undefined, {}, old.person)).code);
    expect(refusal(await plain.step('proof-nonces', {}))).toBe('409 proof-not-for-method');
    const proof = { jws: jwsOf(old, new Uint8Array(1)).jws };
    expect(refusal(await certificateRequest(plain, softwareKey().csr, { proof }))).toBe('422 proof-not-for-method');
    const card = await begun('signed', old);
    const stranger = rawDevice(system);
    await stranger.begin((await made(undefined)).code);
    const asked = await stranger.api.post(`/agent/enrolments/${card.enrolmentId}/proof-nonces`, {});
    expect(refusal(asked)).toBe('404 not-found');
  });
});

describe('a first PIN under supervision', () => {
  it('is confirmed by the operator who looked on, before there is a certificate, and anew for a card made anew', async () => {
    const enrolment = await made('supervised');
    const card = await rawDevice(system).begin(enrolment.code);
    const { csr } = softwareKey();
    expect(refusal(await certificateRequest(card, csr))).toBe('409 initial-pin-not-confirmed');
    const confirm = (confirmationCode: string) =>
      system.as('helpdesk').post(`/enrolments/${enrolment.enrolmentId}/initial-pin-confirmations`, {
        ...{ confirmationCode, verification: inPerson },
      });
    expect(refusal(await confirm('000000'))).toBe('409 initial-pin-not-set');
    const asked = expectStatus(201, await card.step('initial-pins', {})).body;
    expect((await card.step('initial-pins', {})).body).toEqual(asked);
    const shown = async () => (await system.as('auditor').get(`/enrolments/${enrolment.enrolmentId}`)).body;
    expect(await shown()).toMatchObject({ method: 'pre-provisioned', initialPinState: 'to-confirm' });
    const wrong = asked.confirmationCode === '000000' ? '000001' : '000000';
    expect(refusal(await confirm(wrong))).toBe('422 confirmation-code-wrong');
    expectStatus(201, await confirm(asked.confirmationCode));
    expect(refusal(await confirm(asked.confirmationCode))).toBe('409 initial-pin-confirmed');
    expect((await card.step('initial-pins', {})).body.confirmed).toBe(true);

    // Made anew it has another PIN, which nobody saw: what was confirmed is void.
    const parentPublic = Buffer.from(rawDevice(system).parent.public).toString('base64');
    const { keyVersion } = expectStatus(201, await card.step('administrator-keys', { parentPublic })).body;
    const write = { keyVersion, nvIndex: NV_INDEX, nonce: randomBytes(16).toString('base64') };
    expectStatus(201, await card.step('first-writes', write));
    expect(refusal(await certificateRequest(card, csr))).toBe('409 initial-pin-not-confirmed');
    const again = expectStatus(201, await card.step('initial-pins', {})).body;
    expect(again.confirmed).toBe(false);
    expectStatus(201, await confirm(again.confirmationCode));
    const { certificateId } = expectStatus(201, await certificateRequest(card, csr)).body;
    expectStatus(201, await complete(card));
    expect(await assuranceOf(certificateId)).toBe('substantial');
    expect((await vouchersOf(enrolment)).map((one: { kind: string }) => one.kind)).toEqual([
      'initial-pin',
      'initial-pin',
    ]);
    expect(refusal(await confirm(again.confirmationCode))).toBe('409 enrolment-completed');
  });

  it('is not asked where it is not wanted', async () => {
    const { enrolmentId, code } = await made(undefined);
    const card = await rawDevice(system).begin(code);
    expect(refusal(await card.step('initial-pins', {}))).toBe('409 supervision-not-asked');
    const asked = await system.as('helpdesk').post(`/enrolments/${enrolmentId}/initial-pin-confirmations`, {
      ...{ confirmationCode: '000000', verification: inPerson },
    });
    expect(refusal(asked)).toBe('409 supervision-not-asked');
  });
});

describe('with the agent and a TPM', () => {
  let device: Device;
  beforeAll(async () => {
    device = await newDevice();
  });
  afterAll(() => device?.remove());

  // biome-ignore lint/suspicious/noExplicitAny: a test looks into the store, whatever its shape
  const storeOf = ({ store }: Device): any => JSON.parse(readFileSync(join(store, 'store.json'), 'utf8'));
  const enrol = (on: Device, code: string, input = '', more: readonly string[] = []): Promise<Ran> =>
    on.agent(['enrol', '--server', system.url, '--code', code, '--pin-stdin', '--json', ...more], { input });
  const works = (ran: Ran): Ran => {
    expect(refusalOf(ran), ran.stderr).toBeNull();
    return ran;
  };
  const signs = (on: Device, pin: string) =>
    on.agent(['sign', '--in', '/proc/version', '--out', join(directory, 'signature'), '--pin-stdin'], {
      input: `${pin}\n`,
    });

  it('another card of the person signs for the new one', async () => {
    const old = device.withStore(join(device.directory, 'old'));
    const first = await made(undefined);
    works(await enrol(old, first.code, `${PIN}\n`));
    const serial = storeOf(old).cards[0].serial;
    const fresh = device.withStore(join(device.directory, 'fresh'));
    const next = await made('signed', {}, first.person);
    expect(refusalOf(await enrol(fresh, next.code, `${OWN_PIN}\n`))).toBe('signer-missing');
    const by = ['--signed-by', serial, '--signer-store', old.store];
    expect(refusalOf(await enrol(fresh, next.code, `${OWN_PIN}\n000000\n`, by))).toBe('pin-wrong');
    works(await enrol(fresh, next.code, `${OWN_PIN}\n${PIN}\n`, by));
    works(await signs(fresh, OWN_PIN));
    const [{ certificateId }] = storeOf(fresh).cards[0].keys;
    expect(await assuranceOf(certificateId)).toBe('low');
    expect((await vouchersOf(next))[0]).toMatchObject({ certificateId: storeOf(old).cards[0].keys[0].certificateId });
  });

  it('waits for the operator who looks on', async () => {
    const here = device.withStore(join(device.directory, 'supervised'));
    const { code, enrolmentId } = await made('supervised', { method: 'on-behalf', verification: inPerson });
    const env = { CARDWRIGHT_TPM: device.tpm.tcti, CARDWRIGHT_STORE: here.store };
    const args = [AGENT, 'enrol', '--server', system.url, '--code', code, '--pin-stdin', '--json'];
    const program = start(process.execPath, args, { env });
    program.child.stdin?.end(`${PIN}\n`);
    const line = await until(
      { what: 'a confirmation code', seconds: 30 },
      () => program.output().split('\n')[1] !== undefined && program.output(),
    );
    const { confirmationCode } = JSON.parse(String(line).split('\n')[0] ?? '');
    const confirmed = await system.as('helpdesk').post(`/enrolments/${enrolmentId}/initial-pin-confirmations`, {
      ...{ confirmationCode, verification: inPerson },
    });
    expectStatus(201, confirmed);
    works(await program.ended);
    works(await signs(here, PIN));
    expect(confirmed.body.items.map((one: { kind: string }) => one.kind)).toEqual(['identity', 'initial-pin']);
  });

  it('nobody ever sees a PIN that is handed over, and only the code opens it', async () => {
    const { code, handOverCode, enrolmentId } = await made('handed-over', { verification: inPerson });
    expect(handOverCode).toMatch(/^([0-9A-Z]{4}-){3}[0-9A-Z]{4}$/);
    // The technician: no PIN is asked for, nor could one be used.
    works(await enrol(device, code));
    expect(refusalOf(await signs(device, PIN))).toBe('hand-over-pending');
    const { cardId, serial, handOver } = storeOf(device).cards[0];
    const card = async () => (await system.as('auditor').get(`/cards/${cardId}`)).body;
    const state = async () => (await system.as('auditor').get(`/enrolments/${enrolmentId}`)).body.initialPinState;
    expect([(await card()).initialPinPending, await state()]).toEqual([true, 'sealed']);
    const status = JSON.parse(works(await device.agent(['status', '--json'])).stdout);
    expect(status.cards[0]).toMatchObject({ serial, initialPin: 'pending', triesLeft: 5 });

    const handOverOf = (typed: string, pin = OWN_PIN) =>
      device.agent(['hand-over', '--pin-stdin', '--json'], { input: `${typed}\n${pin}\n` });
    expect(refusalOf(await handOverOf(code))).toBe('hand-over-code-malformed');
    expect(refusalOf(await handOverOf('7K3M-92QF-XD4T-0B8N'))).toBe('hand-over-code-wrong');
    expect(refusalOf(await handOverOf(handOverCode, '123456'))).toBe('pin-policy-sequence');
    expect(JSON.parse(works(await device.agent(['status', '--json'])).stdout).cards[0].triesLeft).toBe(5);

    // What root on the device, and who has the database, could look for: the PIN, which this test opens, or the code.
    const parsed = parseHandOverCode(handOverCode);
    if (parsed === undefined) throw new Error('no code');
    const { privateKey, publicKey } = await handOverKey(parsed, Buffer.from(handOver.salt, 'base64'));
    const pin = openSealedPin(handOver.envelopes[0], privateKey, cardId).use((bytes) => Buffer.from(bytes).toString());
    const secrets = [pin, handOverCode, parsed, Buffer.from(pin).toString('base64'), Buffer.from(pin).toString('hex')];
    const everywhere = [...filesOf(device.store), ...filesOf(join(directory, 'system', 'logs'))].map(
      ({ text }) => text,
    );
    for (const table of ['enrolments', 'audit_events', 'cards', 'idempotency_keys', 'enrolment_vouchers']) {
      const rows = await system.query(`SELECT to_jsonb(t)::text AS row FROM ${table} t`);
      everywhere.push(...rows.map(({ row }: { row: string }) => row));
    }
    expect(everywhere.some((text) => text.includes(Buffer.from(publicKey).toString('hex')))).toBe(true);
    for (const secret of secrets) expect(everywhere.filter((text) => text.includes(secret))).toEqual([]);

    works(await handOverOf(handOverCode));
    works(await signs(device, OWN_PIN));
    expect(refusalOf(await signs(device, pin))).toBe('pin-wrong');
    expect([(await card()).initialPinPending, await state()]).toEqual([false, 'handed-over']);
    expect(readFileSync(join(device.store, 'store.json'), 'utf8')).not.toContain(handOver.envelopes[0]);
    expect(refusalOf(await handOverOf(handOverCode))).toBe('hand-over-not-pending');
    const events = await system.as('auditor').get(`/audit/events?cardId=${cardId}&limit=50`);
    expect(events.body.items.map((one: { action: string }) => one.action)).toContain('card.handed-over');
  });

  it('goes on after a death at any step, and a lost code ends in an unblock', async () => {
    const here = device.withStore(join(device.directory, 'cut-off'));
    const { code } = await made('handed-over', { verification: inPerson });
    const args = ['enrol', '--server', system.url, '--code', code, '--json'];
    for (const at of [
      'store.renamed#9',
      'card.prepare.after',
      'card.firstWriteChallenge.finish.after',
      'server.certificate.before',
    ]) {
      const ran = await here.agent(args, { env: { CARDWRIGHT_FAULT_AT: at } });
      expect([at, ran.signal], ran.stderr).toEqual([at, 'SIGKILL']);
    }
    works(await here.agent(args));
    const { serial, cardId } = storeOf(here).cards[0];
    const { challenge, finish } = await here.startUnblock(OWN_PIN);
    const helpdesk = system.as('helpdesk');
    const session = await helpdesk.post(`/cards/${cardId}/unblock-sessions`, {
      verification: inPerson,
      reason: 'Code lost',
    });
    const answered = await helpdesk.post(`/unblock-sessions/${session.body.id}/responses`, { challenge });
    works(await finish(expectStatus(201, answered).body.response));
    works(await signs(here, OWN_PIN));
    expect(storeOf(here).cards[0]).toMatchObject({ serial, handOver: { state: 'set' } });
    expect((await system.as('auditor').get(`/cards/${cardId}`)).body.initialPinPending).toBe(false);
  });
});

function filesOf(folder: string): { readonly text: string }[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => ({ text: readFileSync(join(entry.parentPath, entry.name), 'latin1') }));
}
