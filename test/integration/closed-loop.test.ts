import { randomInt } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Device, newDevice } from '../support/device.ts';
import { type Person, registerPerson } from '../support/people.ts';
import { pemOf, run } from '../support/run.ts';
import { startTestSystem, type TestSystem } from '../support/system.ts';

/**
 * The one true path, on real parts: PostgreSQL, vault, ca, cms and the agent as processes of their own, a software TPM,
 * and openssl as the judge of everything that claims to be a certificate, a signature, a CRL or an OCSP answer.
 */
describe('the closed loop', () => {
  let system: TestSystem;
  let device: Device;
  let person: Person;
  let code: string;
  let cardId: string;
  let certificate: { id: string; serialNumber: string };
  let chain: { leaf: string; issuing: string; root: string; spki: string };
  const firstPin = `7${randomInt(10_000, 99_999)}4x`;
  const secondPin = `8${randomInt(10_000, 99_999)}2y`;
  const file = (name: string) => join(device.directory, name);

  beforeAll(async () => {
    system = await startTestSystem();
    device = await newDevice();
  }, 120_000);
  afterAll(async () => {
    await device?.remove();
    await system?.remove();
  });

  it('starts with a person and a code that is shown once', async () => {
    person = await registerPerson(system, 'Ada Lovelace');
    const made = await system.as('helpdesk').post('/enrolments', { personId: person.id });
    expect(made.status).toBe(201);
    expect(made.headers.get('cache-control')).toBe('no-store');
    code = made.body.code;
    expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}$/);
    const again = await system.as('helpdesk').get(`/enrolments/${made.body.enrolment.id}`);
    expect(JSON.stringify(again.body)).not.toContain(code);
  });

  it('makes the card in the TPM, and has its certificate issued', async () => {
    const enrolled = await device.agent(['enrol', '--server', system.url, '--code', code, '--pin-stdin'], {
      input: `${firstPin}\n`,
    });
    expect(enrolled).toMatchObject({ exitCode: 0 });
    const cards = await system.as('helpdesk').get(`/cards?personId=${person.id}`);
    expect(cards.body.items).toMatchObject([{ state: 'active', kind: 'tpm', algorithm: 'hmac-sha256' }]);
    cardId = cards.body.items[0].id;
    const certificates = await system.as('auditor').get(`/cards/${cardId}/certificates`);
    expect(certificates.body.items).toMatchObject([{ status: 'active', container: 'sign-in' }]);
    certificate = certificates.body.items[0];
  });

  it('sent a request that openssl verifies', async () => {
    const csr = await system.query('select csr from certificates where id = $1', [certificate.id]);
    await writeFile(file('request.der'), csr[0]?.csr as Buffer);
    const verdict = await run('openssl', ['req', '-inform', 'DER', '-in', file('request.der'), '-verify', '-noout']);
    expect(verdict).toMatchObject({ exitCode: 0 });
    expect(verdict.stdout + verdict.stderr).toContain('verify OK');
  });

  it('got a certificate that openssl verifies against the chain, strictly', async () => {
    const shown = await system.as('auditor').get(`/certificates/${certificate.id}`);
    chain = {
      leaf: file('leaf.pem'),
      issuing: file('issuing.pem'),
      root: file('root.pem'),
      spki: file('leaf.pub'),
    };
    await writeFile(chain.leaf, pemOf('CERTIFICATE', Buffer.from(shown.body.certificate, 'base64')));
    for (const ca of ['issuing', 'root'] as const) {
      const answer = await fetch(`${system.url}/pki/${ca}.cer`);
      expect(answer.headers.get('content-type')).toBe('application/pkix-cert');
      await writeFile(chain[ca], pemOf('CERTIFICATE', Buffer.from(await answer.arrayBuffer())));
    }
    const verdict = await run('openssl', [
      'verify',
      '-x509_strict',
      '-CAfile',
      chain.root,
      '-untrusted',
      chain.issuing,
      chain.leaf,
    ]);
    expect(verdict).toMatchObject({ exitCode: 0 });
    await writeFile(chain.spki, (await run('openssl', ['x509', '-in', chain.leaf, '-pubkey', '-noout'])).stdout);
  });

  it('signs a file, and openssl accepts the signature', async () => {
    await signsWith(firstPin);
  });

  it('is blocked in the TPM by five wrong PINs: the right one is refused too', async () => {
    for (let left = 4; left >= 0; left--) {
      const refused = await device.agent(['sign', ...signArguments(), '--pin-stdin'], { input: '999999z\n' });
      expect(refused.stderr).toContain('[pin-wrong]');
      expect(refused.stderr).toContain(left > 0 ? `${left} ` : 'blocked');
      expect(refused.exitCode).not.toBe(0);
    }
    const right = await device.agent(['sign', ...signArguments(), '--pin-stdin'], { input: `${firstPin}\n` });
    expect(right.stderr).toContain('[card-blocked]');
    const status = JSON.parse((await device.agent(['status', '--json'])).stdout);
    expect(status.cards).toMatchObject([{ triesLeft: 0, blocked: true }]);
    const card = await system.as('helpdesk').get(`/cards/${cardId}`);
    expect(card.body).toMatchObject({ state: 'blocked', triesLeft: 0 });
  });

  it('is unblocked by challenge and response, with a new PIN; the old one is refused', async () => {
    const unblock = await device.startUnblock(secondPin);
    const session = await system.as('helpdesk').post(`/cards/${cardId}/unblock-sessions`, {
      verification: { method: 'call-back', evidence: 'called back on the number on record' },
      reason: 'forgot the PIN after the holidays',
      ticket: 'INC-1001',
    });
    expect(session.status).toBe(201);
    const answer = await system
      .as('helpdesk')
      .post(`/unblock-sessions/${session.body.id}/responses`, { challenge: unblock.challenge });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await unblock.finish(answer.body.response)).toMatchObject({ exitCode: 0 });
    const closed = await system
      .as('helpdesk')
      .post(`/unblock-sessions/${session.body.id}/outcome`, { outcome: 'worked' });
    expect(closed.body).toMatchObject({ state: 'worked' });

    const old = await device.agent(['sign', ...signArguments(), '--pin-stdin'], { input: `${firstPin}\n` });
    expect(old.stderr).toContain('[pin-wrong]');
    await signsWith(secondPin);
    expect((await system.as('helpdesk').get(`/cards/${cardId}`)).body).toMatchObject({ state: 'active' });
  });

  it('is unblocked online: a short code on both sides, and nobody reads hex', async () => {
    const online = await device.startOnlineUnblock(firstPin);
    const open = await system.as('helpdesk').get('/unblock-sessions?state=requested');
    const request = open.body.items.find((item: { cardId: string }) => item.cardId === cardId);
    const approval = (confirmationCode: string) =>
      system.as('helpdesk').post(`/unblock-sessions/${request.id}/approvals`, {
        confirmationCode,
        verification: { method: 'video', evidence: 'seen on video, matches the photo on record' },
        reason: 'asked for a new PIN',
      });
    const wrong = await approval(online.confirmationCode === '0000' ? '1111' : '0000');
    expect(wrong.body.code).toBe('confirmation-code-wrong');
    expect((await approval(online.confirmationCode)).status).toBe(201);
    expect(await online.ended).toMatchObject({ exitCode: 0 });
    await signsWith(firstPin);
    expect((await system.as('helpdesk').get(`/unblock-sessions/${request.id}`)).body).toMatchObject({
      state: 'worked',
    });
  });

  it("lets the person change the PIN, knowing the old one, without anybody's help", async () => {
    expect(
      await device.agent(['change-pin', '--pin-stdin'], {
        input: `${firstPin}\n${secondPin}\n`,
      }),
    ).toMatchObject({
      exitCode: 0,
    });
    await signsWith(secondPin);
  });

  it('is revoked: CRL and OCSP say so, and openssl refuses the certificate', async () => {
    await expectOcsp('good');
    const revoked = await system.as('security-officer').post(`/certificates/${certificate.id}/revocations`, {
      reason: 'keyCompromise',
      comment: 'the laptop was left in a train',
      ticket: 'INC-1002',
    });
    expect(revoked.status).toBe(201);
    expect(revoked.body).toMatchObject({ state: 'confirmed', reason: 'keyCompromise' });

    const crls: string[] = [];
    for (const ca of ['issuing', 'root'] as const) {
      const crl = Buffer.from(await (await fetch(`${system.url}/pki/${ca}.crl`)).arrayBuffer());
      await writeFile(file(`${ca}.crl`), crl);
      const verified = await run('openssl', [
        'crl',
        '-inform',
        'DER',
        '-in',
        file(`${ca}.crl`),
        '-verify',
        '-CAfile',
        chain[ca],
        '-noout',
      ]);
      expect(verified.stdout + verified.stderr).toContain('verify OK');
      crls.push(pemOf('X509 CRL', crl));
    }
    await writeFile(file('crls.pem'), crls.join(''));
    const verdict = await run('openssl', [
      ...['verify', '-x509_strict', '-crl_check_all', '-CRLfile', file('crls.pem')],
      ...['-CAfile', chain.root, '-untrusted', chain.issuing, chain.leaf],
    ]);
    expect(verdict.exitCode).not.toBe(0);
    expect(verdict.stdout + verdict.stderr).toContain('certificate revoked');
    await expectOcsp('revoked');
  });

  it('shows the auditor all of it, by device: who, when and why', async () => {
    const card = (await system.as('auditor').get(`/cards/${cardId}`)).body;
    const certificates = await system.as('auditor').get(`/certificates?deviceId=${card.deviceId}`);
    expect(certificates.body.items).toMatchObject([
      {
        id: certificate.id,
        status: 'revoked',
        revocation: { reason: 'keyCompromise', comment: 'the laptop was left in a train' },
      },
    ]);
    const events = (await system.as('auditor').get(`/audit/events?deviceId=${card.deviceId}&limit=200`)).body.items;
    const told = (action: string) => events.filter((event: { action: string }) => event.action === action);
    const helpdesk = { kind: 'operator', role: 'helpdesk' };
    expect(told('enrolment.claimed')).toMatchObject([{ cardId, personId: person.id, outcome: 'done' }]);
    expect(told('enrolment.completed')).toMatchObject([{ actor: { kind: 'device' }, outcome: 'done' }]);
    expect(told('certificate.issued')).toMatchObject([{ certificateId: certificate.id, personId: person.id }]);
    expect(told('unblock.answered')).toMatchObject([
      { actor: helpdesk, outcome: 'done' },
      { actor: helpdesk, ticket: 'INC-1001', reason: 'forgot the PIN after the holidays' },
    ]);
    expect(told('certificate.revoked')).toMatchObject([
      { actor: { role: 'security-officer' }, ticket: 'INC-1002', reason: 'the laptop was left in a train' },
    ]);
    for (const event of events) {
      expect(Number.isNaN(Date.parse(event.time))).toBe(false);
      expect(event.actor.name).not.toBe('');
    }
  });

  const signArguments = () => ['--in', file('document.txt'), '--out', file('document.sig')];

  async function signsWith(pin: string): Promise<void> {
    await writeFile(file('document.txt'), `a document ${randomInt(1e9)}\n`);
    expect(await device.agent(['sign', ...signArguments(), '--pin-stdin'], { input: `${pin}\n` })).toMatchObject({
      exitCode: 0,
    });
    expect((await readFile(file('document.sig'))).length).toBeGreaterThan(60);
    const verdict = await run('openssl', [
      ...['dgst', '-sha256', '-verify', chain.spki, '-signature', file('document.sig'), file('document.txt')],
    ]);
    expect(verdict.stdout).toContain('Verified OK');
  }

  async function expectOcsp(status: 'good' | 'revoked'): Promise<void> {
    const answer = await run('openssl', [
      ...['ocsp', '-issuer', chain.issuing, '-cert', chain.leaf, '-CAfile', chain.root],
      ...['-url', `${system.url}/pki/ocsp`],
    ]);
    expect(answer.stdout + answer.stderr).toContain('Response verify OK');
    expect(answer.stdout).toContain(`${chain.leaf}: ${status}`);
  }
});
