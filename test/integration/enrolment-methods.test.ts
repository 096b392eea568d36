import { execFileSync } from 'node:child_process';
import { createHash, createPrivateKey, randomBytes, sign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beginDetachedJws, enrolmentProofStatement } from '@cardwright/protocol/enrolment';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Person, registerPerson } from '../support/people.ts';
import { runFolder } from '../support/run-folder.ts';
import { startTestSystem, type TestSystem } from '../support/system.ts';
import { type Begun, expectStatus, NV_INDEX, rawDevice, refusal } from './cms/raw-device.ts';

const _PIN = '618294';
const _OWN_PIN = '729305';
const inPerson = { method: 'in-person', evidence: 'Passport, photograph compared' };
const PROFILES = {
  vouched: { enrolmentMethods: ['on-behalf'] },
  signed: { enrolmentMethods: ['existing-certificate'], signerAssurance: 'low' },
  'signed-well': { enrolmentMethods: ['existing-certificate'], signerAssurance: 'substantial' },
  supervised: { enrolmentMethods: ['pre-provisioned', 'on-behalf'], initialPin: 'supervised' },
  'handed-over': { enrolmentMethods: ['pre-provisioned'], initialPin: 'handed-over' },
};

let system: TestSystem;
let directory: string;
beforeAll(async () => {
  system = await startTestSystem();
  directory = mkdtempSync(join(runFolder(), 'methods-'));
  for (const [name, rules] of Object.entries(PROFILES)) {
    const base = { name, displayName: name, algorithm: 'hmac-sha256', keyStrategy: 'random-stored' };
    expectStatus(201, await system.as('security-officer').post('/card-profiles', { ...base, ...rules }));
  }
}, 120_000);
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await system?.remove();
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

const openssl = (...args: string[]): Buffer => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] });
/** A key in software, and a request for it. */
function softwareKey(): { readonly file: string; readonly csr: string } {
  const file = join(directory, `${randomBytes(4).toString('hex')}.key`);
  openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', file);
  return { file, csr: openssl('req', '-new', '-key', file, '-subj', '/CN=x', '-outform', 'DER').toString('base64') };
}

interface Credential {
  readonly person: Person;
  readonly certificateId: string;
  readonly cardId: string;
  readonly file: string;
  readonly der: Buffer;
}
const certificateRequest = (card: Begun, csr: string, more: object = {}) =>
  card.step('certificate-requests', { container: 'sign-in', csr, ...more });
const complete = (card: Begun) => card.step('completions', { nvIndex: NV_INDEX });

/** A card whose key the test has, in software. */
async function credential({ person, code }: Made): Promise<Credential> {
  const card = await rawDevice(system).begin(code);
  const key = softwareKey();
  const { body } = expectStatus(201, await certificateRequest(card, key.csr));
  expectStatus(201, await complete(card));
  const der = Buffer.from(body.certificate, 'base64');
  return { person, certificateId: body.certificateId, cardId: card.cardId, file: key.file, der };
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
  /** What is to be signed now, for one request. */
  async function statementOf(card: Begun, csr: string, change: { nonce?: Uint8Array; container?: string } = {}) {
    const { nonce } = expectStatus(201, await card.step('proof-nonces', {})).body;
    return enrolmentProofStatement({
      ...{ enrolmentId: card.enrolmentId, cardSerial: card.cardSerial, container: 'sign-in' },
      nonce: Buffer.from(nonce, 'base64'),
      requestHash: createHash('sha256').update(Buffer.from(csr, 'base64')).digest(),
      ...change,
    });
  }
  function jwsOf({ file, der }: Credential, statement: Uint8Array): { jws: string } {
    const { input, finish } = beginDetachedJws('ES256', createHash('sha256').update(der).digest('hex'), statement);
    const key = createPrivateKey(readFileSync(file));
    return { jws: finish(sign('sha256', input, { key, dsaEncoding: 'ieee-p1363' })) };
  }
  function cmsOf({ file, der }: Credential, statement: Uint8Array, ...options: string[]): { cms: string } {
    const [input, signer] = [join(directory, 'statement'), join(directory, 'signer.der')];
    writeFileSync(input, statement);
    writeFileSync(signer, der);
    const pem = join(directory, 'signer.pem');
    openssl('x509', '-in', signer, '-inform', 'DER', '-out', pem);
    const signed = openssl(
      ...['cms', '-sign', '-binary', '-in', input, '-outform', 'DER', '-signer', pem, '-inkey', file, ...options],
    );
    return { cms: signed.toString('base64') };
  }
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
