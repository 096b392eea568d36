import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument } from '@cardwright/agent';
import { trustMaker } from '@cardwright/infra';
import { assertionInput } from '@cardwright/protocol/attestation';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AttackedDevice, attackedDevice, evidenceVariants } from '../support/attacked-device.ts';
import { type Device, newDevice } from '../support/device.ts';
import { enrolledCard, enrolmentCode, registerPerson } from '../support/people.ts';
import { rest } from '../support/rest.ts';
import { refusalOf } from '../support/run.ts';
import { startTestSystem, type TestSystem } from '../support/system.ts';

const PIN = '618294';

/** One system that trusts the makers of two software TPMs, and demands attestation from the second test on. */
describe('attestation', () => {
  let system: TestSystem;
  let device: Device;
  let other: Device;
  let attacker: AttackedDevice;

  beforeAll(async () => {
    system = await startTestSystem();
    [device, other] = await Promise.all([newDevice(), newDevice()]);
    trustMaker(join(device.directory, 'tpm'), system.data.tpmRoots, 'device');
  }, 120_000);
  afterAll(async () => {
    await attacker?.close();
    await device?.remove();
    await other?.remove();
    await system?.remove();
  });

  const auditor = () => system.as('auditor');
  const tokenOf = (of: Device): string => {
    const store = parseDocument(readFileSync(join(of.store, 'store.json'), 'utf8'));
    return store.servers[0]?.deviceToken ?? '';
  };
  const setPolicy = (policy: string) =>
    system
      .as('security-officer')
      .post('/card-profiles/tpm-default/attestation-policies', { policy, reason: 'for this test' });

  let deviceId: string;

  it('comes with an enrolment: device and certificate are proven, and the evidence is kept', async () => {
    const { cardId } = await enrolledCard(system, device, PIN);
    const [certificate] = (await auditor().get(`/cards/${cardId}/certificates`)).body.items;
    expect(certificate.attestation).toMatchObject({ state: 'attested', code: null });
    deviceId = certificate.deviceId;
    const shown = (await auditor().get(`/devices/${deviceId}`)).body;
    expect(shown.attestation).toMatchObject({ model: 'swtpm', manufacturer: 'id:00001014', tpmChangedAt: null });
    const { items } = (await auditor().get(`/certificates/${certificate.id}/evidence`)).body;
    expect(items).toMatchObject([{ state: 'attested', code: null }]);
    const statement = Buffer.from(items[0].evidence.key.statement, 'base64');
    expect(statement.subarray(0, 6).toString('hex')).toBe('ff544347801a');
    const actions = (await auditor().get(`/audit/events?deviceId=${deviceId}`)).body.items.map(
      ({ action }: { action: string }) => action,
    );
    expect(actions).toEqual(expect.arrayContaining(['device.attested', 'certificate.attested']));
    // Nobody changes evidence afterwards, not even who owns the tables.
    await expect(system.query(`update attestation_evidence set verdict = 'refused', code = 'x'`)).rejects.toThrow(
      'append-only',
    );
  });

  it('makes the device token worthless, and the device signs in with its TPM', async () => {
    const stolen = await rest(system.url, tokenOf(device)).get('/agent/cards');
    expect(stolen).toMatchObject({ status: 401, body: { code: 'assertion-required' } });
    const before = (await auditor().get(`/devices/${deviceId}`)).body.lastSeenAt;
    expect(refusalOf(await device.agent(['status', '--json']))).toBeNull();
    expect((await auditor().get(`/devices/${deviceId}`)).body.lastSeenAt > before).toBe(true);
  });

  it('lets an attested device do all it did before, with a bare TPM that has three places', async () => {
    const card = (await system.as('helpdesk').get(`/cards?deviceId=${deviceId}&state=active`)).body.items[0];
    expect(refusalOf(await device.agent(['run', '--once']))).toBeNull();
    const wrong = ['sign', '--in', '/proc/version', '--out', join(device.directory, 'signature'), '--pin-stdin'];
    for (let tries = 0; tries < 5; tries++) await device.agent(wrong, { input: '000000\n' });
    expect((await system.as('helpdesk').get(`/cards/${card.id}`)).body.state).toBe('blocked');
    // The challenge is held in the TPM while the device signs in to tell of it, and while it asks for the answer.
    const { confirmationCode, ended } = await device.startOnlineUnblock('483916');
    const open = (await system.as('helpdesk').get('/unblock-sessions?state=requested')).body.items;
    const session = open.find((one: { cardId: string }) => one.cardId === card.id);
    const verification = { method: 'in-person', evidence: 'badge number 7' };
    const approval = { confirmationCode, verification, reason: 'forgot it' };
    const approved = await system.as('helpdesk').post(`/unblock-sessions/${session.id}/approvals`, approval);
    expect(approved.status, JSON.stringify(approved.body)).toBe(201);
    expect(refusalOf(await ended)).toBeNull();
    expect(refusalOf(await device.agent(wrong, { input: '483916\n' }))).toBeNull();
  });

  it('is done anew when an operator asks for it, at the next check-in', async () => {
    const card = (await system.as('helpdesk').get(`/cards?deviceId=${deviceId}&state=active`)).body.items[0];
    const ask = () => system.as('security-officer').post(`/cards/${card.id}/re-attestations`, { reason: 'yearly' });
    const { status, body } = await ask();
    expect(status).toBe(201);
    expect((await ask()).body).toEqual(body);
    expect(refusalOf(await device.agent(['run', '--once']))).toBeNull();
    const tasks = (await auditor().get(`/devices/${deviceId}/tasks`)).body.items;
    expect(tasks.find(({ id }: { id: string }) => id === body.taskId)).toMatchObject({
      kind: 're-attest',
      state: 'done',
    });
    const [certificate] = (await auditor().get(`/cards/${card.id}/certificates`)).body.items;
    expect((await auditor().get(`/certificates/${certificate.id}/evidence`)).body.items).toMatchObject([
      { state: 'attested' },
      { state: 'attested' },
    ]);
  });

  it('without a trusted maker makes a card where it is preferred, that says it is not attested', async () => {
    const { cardId } = await enrolledCard(system, other, PIN, 'Ada Lovelace');
    const [certificate] = (await auditor().get(`/cards/${cardId}/certificates`)).body.items;
    expect(certificate.attestation).toEqual({ state: 'unattested', code: null, judgedAt: null });
    expect((await auditor().get(`/devices/${certificate.deviceId}`)).body.attestation).toBeNull();
    // Its token goes on working.
    expect((await rest(system.url, tokenOf(other)).get('/agent/cards')).status).toBe(200);
  });

  it('that is demanded refuses a TPM whose maker is not trusted; the same command completes once he is', async () => {
    expect((await setPolicy('required')).status).toBe(201);
    const person = await registerPerson(system, 'Edsger Dijkstra');
    const code = await enrolmentCode(system, person.id);
    const env = { CARDWRIGHT_STORE: join(other.directory, 'second-store') };
    const enrol = () =>
      other.agent(['enrol', '--server', system.url, '--code', code, '--pin-stdin'], { input: `${PIN}\n`, env });
    expect(refusalOf(await enrol())).toBe('ek-certificate-untrusted');
    const cards = () => system.as('helpdesk').get(`/cards?personId=${person.id}`);
    expect((await cards()).body.items).toMatchObject([{ state: 'requested' }]);
    trustMaker(join(other.directory, 'tpm'), system.data.tpmRoots, 'other');
    expect(refusalOf(await enrol())).toBeNull();
    expect((await cards()).body.items).toMatchObject([{ state: 'active' }]);
  });

  describe('refuses an attacker who is root on a device', () => {
    beforeAll(async () => {
      attacker = await attackedDevice(system, device, other);
    }, 60_000);

    const codeOf = (work: Promise<unknown>): Promise<string> =>
      work.then(
        () => 'accepted',
        (error) => error.code,
      );

    it('who has no attested device: no administrator key, no certificate', async () => {
      expect(await codeOf(attacker.administratorKey())).toBe('attestation-required');
    });

    it('with an endorsement key certificate that is expired, revoked, of another key or of nobody', async () => {
      const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: device.directory, stdio: 'pipe' });
      const maker = await attacker.makeMaker(openssl, system.data.tpmRoots);
      expect(await codeOf(attacker.begin({ certificate: maker.expired }))).toBe('ek-certificate-expired');
      expect(await codeOf(attacker.begin({ certificate: maker.revoked }))).toBe('ek-certificate-revoked');
      expect(await codeOf(attacker.begin({ certificate: maker.ofAnotherKey }))).toBe('ek-certificate-of-another-key');
      expect(await codeOf(attacker.begin({ certificate: maker.forAnotherUse }))).toBe('ek-certificate-not-for-ek');
      expect(await codeOf(attacker.begin({ certificate: maker.untrusted }))).toBe('ek-certificate-untrusted');
      expect(await codeOf(attacker.begin({ certificate: new Uint8Array(40) }))).toBe('ek-certificate-malformed');
    });

    it('with the attestation key of another TPM, or one in software', async () => {
      expect(await codeOf(attacker.activateForeign())).toBe('credential-not-activated');
      expect(await codeOf(attacker.begin({ attestationKey: attacker.weakAttestationKey() }))).toBe('ak-not-allowed');
      expect((await auditor().get(`/devices/${attacker.deviceId}`)).body.attestation).toBeNull();
    });

    it('with a storage key that is not the TPM’s', async () => {
      expect(await codeOf(attacker.attestForAnother())).toBe('storage-key-changed');
      await attacker.attest();
      expect(await codeOf(attacker.administratorKey(attacker.softwareParent()))).toBe('tpm-parent-not-attested');
    });

    it('with evidence of anything but this card’s own key, each by its code, and nothing is issued', async () => {
      await attacker.writeCard();
      const count = async () => (await auditor().get(`/cards/${attacker.cardId}/certificates`)).body.items.length;
      for (const [wanted, request] of await evidenceVariants(attacker)) {
        expect(await codeOf(request()), wanted).toBe(wanted);
        expect(await count()).toBe(0);
      }
      expect(await codeOf(attacker.certificate())).toBe('accepted');
      expect(await count()).toBe(1);
    });

    it('who brings evidence anew of a card in use is judged, and the verdict shown', async () => {
      const { certificates } = await attacker.attestAgain();
      expect(certificates).toMatchObject([{ container: 'sign-in', state: 'attested', code: null }]);
    });

    it('with an assertion that is used twice, of another clock, for another server, or by another key', async () => {
      const audience = `${system.url}/api/v1/agent/tokens`;
      const parts = (change: object = {}) => ({
        ...{ deviceId: attacker.deviceId, audience, now: new Date(), jti: randomBytes(16).toString('base64url') },
        ...change,
      });
      const anonymous = rest(system.url);
      const send = async (assertion: string) => {
        const grantType = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
        return (await anonymous.post('/agent/tokens', { grantType, assertion })).body;
      };
      const signed = await attacker.assertion(parts());
      const { accessToken, expiresInSeconds } = await send(signed);
      expect(expiresInSeconds).toBe(600);
      expect((await rest(system.url, accessToken).get('/agent/cards')).status).toBe(200);
      expect(await send(signed)).toMatchObject({ code: 'assertion-replayed' });
      const hour = 3_600_000;
      const late = await send(await attacker.assertion(parts({ now: new Date(Date.now() - hour) })));
      expect(late).toMatchObject({ code: 'assertion-expired', detail: expect.stringContaining('3600 seconds') });
      const early = await send(await attacker.assertion(parts({ now: new Date(Date.now() + hour) })));
      expect(early).toMatchObject({ code: 'assertion-not-yet-valid', detail: expect.stringContaining('ahead') });
      const elsewhere = await send(await attacker.assertion(parts({ audience: 'https://other.example.org' })));
      expect(elsewhere).toMatchObject({ code: 'assertion-audience-wrong' });
      const [header, claims] = assertionInput({ ...parts(), keyName: attacker.keyName }).split('.');
      expect(await send(`${header}.${claims}.${'A'.repeat(86)}`)).toMatchObject({
        code: 'assertion-signature-invalid',
      });
      expect(await send(await attacker.foreignAssertion(parts()))).toMatchObject({ code: 'device-tpm-changed' });
    });

    it('who carries its store to another machine: refused and flagged', async () => {
      expect(await codeOf(attacker.attestElsewhere())).toBe('device-tpm-changed');
      const shown = (await auditor().get(`/devices/${attacker.deviceId}`)).body;
      expect(shown.attestation.tpmChangedAt).not.toBeNull();
      const { items } = (await auditor().get(`/audit/events?deviceId=${attacker.deviceId}&action=device.tpm-changed`))
        .body;
      expect(items).toMatchObject([{ outcome: 'done', action: 'device.tpm-changed' }]);
      // By the token alone, at a claim, too.
      expect(await codeOf(attacker.claimElsewhere())).toBe('device-tpm-changed');
    });
  });
});
