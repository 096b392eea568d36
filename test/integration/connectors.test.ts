import { X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createCertificateReader, createOpensslCa, type OpensslCa, TLS_CLIENT } from '@cardwright/cms/testing';
import { until } from '@cardwright/infra';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cfssl, startCfssl } from '../support/cfssl.ts';
import { type Device, newDevice } from '../support/device.ts';
import { certsOnly, EST_LOGIN, type EstServer, send, startEstServer } from '../support/est-server.ts';
import { enrolmentCode } from '../support/people.ts';
import type { Answer } from '../support/rest.ts';
import { startTestSystem, type TestSystem } from '../support/system.ts';

/** One card with a certificate of each connector, through the whole product: issued, renewed, revoked, and while a CA is away. */
const PIN = '618294';
const EMAIL = 'grace.hopper@corp.example';
const TEN_DAYS = 864_000;
const CONTAINERS = ['by-cfssl', 'by-est', 'by-script'] as const;
type Container = (typeof CONTAINERS)[number];

const cas = {} as Record<Container, OpensslCa>;
let cfssl: Cfssl;
let est: EstServer;
let system: TestSystem;
let device: Device;
let cardId: string;
let issued: Record<Container, Shown>;

interface Shown {
  readonly id: string;
  readonly container: Container;
  readonly status: string;
  readonly authority: string;
  readonly serialNumber: string;
  readonly certificate: string;
}

beforeAll(async () => {
  for (const container of CONTAINERS) cas[container] = createOpensslCa(`CA ${container}`);
  [cfssl, est, device] = await Promise.all([startCfssl(cas['by-cfssl']), startEstServer(cas['by-est']), newDevice()]);
  // The CA behind this EST server has names of its own: the card's request carries none.
  est.answer = (csr, response) => {
    const ca = cas['by-est'];
    const key = createCertificateReader().publicKeyOf(csr);
    const extensions = TLS_CLIENT.map((line) => line.replace('mary@corp.example', EMAIL));
    const certificate = ca.issue(key, { subject: '/CN=Grace Hopper', extensions });
    send(response, certsOnly(ca, ca.openssl(['x509', '-inform', 'DER'], certificate)));
  };
  const environment = { CMS_CONNECTORS_FILE: connectorsFile() };
  system = await startTestSystem({ environment: { cms: environment, worker: environment } });
  await makeProfiles();
  await enrol();
  issued = await active();
});
afterAll(async () => {
  await system?.remove();
  await device?.remove();
  await est?.stop();
  await cfssl?.stop();
  for (const ca of Object.values(cas)) ca.remove();
});

function connectorsFile(): string {
  const ca = cas['by-script'];
  const inFolder = (name: string) => join(ca.folder, name);
  const program = (name: string, ...lines: string[]) => {
    writeFileSync(inFolder(name), `#!/bin/bash\nset -e; cd "$1"\n${lines.join('\n')}\n`);
    chmodSync(inFolder(name), 0o755);
    return [inFolder(name), ca.folder];
  };
  writeFileSync(inFolder('extensions'), TLS_CLIENT.map((line) => line.replace('mary@corp.example', EMAIL)).join('\n'));
  writeFileSync(inFolder('password'), EST_LOGIN.password, { mode: 0o600 });
  const issue = program(
    'issue.sh',
    'openssl req -pubkey -noout > pub',
    'openssl x509 -new -force_pubkey pub -subj "/CN=Grace Hopper" -days 10 -CA ca.pem -CAkey ca.key -extfile extensions',
  );
  const connectors = [
    { kind: 'cfssl', name: 'by-cfssl', url: cfssl.url, authenticationKeyFile: cfssl.keyFile },
    {
      ...{ kind: 'est', name: 'by-est', url: est.url, trust: est.trustFile, namesFrom: 'ca', names: ['email'] },
      ...{ login: { user: EST_LOGIN.user, passwordFile: inFolder('password') }, revokeByHand: true },
    },
    {
      ...{ kind: 'script', name: 'by-script', issue, names: ['email'] },
      revoke: program('revoke.sh', 'cat >> revoked.pem', 'echo "$CARDWRIGHT_REQUEST" >> revoked.json'),
    },
  ].map((one) => ({
    ...one,
    issuers: cas[one.name as Container].certificateFile,
    profiles: { 'tls-client': one.name === 'by-est' ? '' : 'tls-client' },
  }));
  writeFileSync(inFolder('connectors.json'), JSON.stringify({ connectors }), { mode: 0o600 });
  return inFolder('connectors.json');
}

async function makeProfiles(): Promise<void> {
  const none = { userPrincipalName: false, kerberosPrincipal: false, securityIdentifier: false, organization: false };
  for (const name of CONTAINERS) {
    await made('/certificate-profiles', {
      ...{ name, kind: 'tls-client', displayName: name, authority: name, keyTypes: ['ec-p256'] },
      ...{ validitySeconds: TEN_DAYS, names: { ...none, email: 'required' } },
    });
  }
  await made('/card-profiles', {
    ...{ name: 'three-cas', displayName: 'Three CAs', algorithm: 'hmac-sha256', keyStrategy: 'random-stored' },
    containers: CONTAINERS.map((name) => ({
      ...{ container: name, keyType: 'ec-p256', certificateProfile: name, validitySeconds: TEN_DAYS },
    })),
  });
}

async function made(path: string, body: object): Promise<Answer['body']> {
  const answer = await system.as('security-officer').post(path, body);
  if (answer.status !== 201) throw new Error(`${path}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

async function enrol(): Promise<void> {
  const person = await made('/people', { displayName: 'Grace Hopper', userPrincipalName: EMAIL, email: EMAIL });
  const code = await enrolmentCode(system, person.id, 'three-cas');
  const args = ['enrol', '--server', system.url, '--code', code, '--pin-stdin'];
  const ran = await device.agent(args, { input: `${PIN}\n` });
  if (ran.exitCode !== 0) throw new Error(`not enrolled: ${ran.stderr}`);
  const cards = await system.as('auditor').get(`/cards?personId=${person.id}&state=active`);
  cardId = cards.body.items[0].id;
}

const shown = async (status: string): Promise<Shown[]> =>
  (await system.as('auditor').get(`/cards/${cardId}/certificates`)).body.items.filter(
    (one: Shown) => one.status === status,
  );
/** The newest of each container: one that waits to be revoked counts as active until its CA knows. */
const active = async () =>
  Object.fromEntries((await shown('active')).reverse().map((one) => [one.container, one])) as Record<Container, Shown>;
const authorityOf = async (name: Container) =>
  (await system.as('auditor').get('/certificate-authorities')).body.items.find(
    (one: Shown & { name: string }) => one.name === name,
  );
const statusAtCfssl = async (serial: string) =>
  (await cfssl.certificates()).find((one) => one.serial === serial)?.status;
const revoke = (id: string) =>
  system
    .as('security-officer')
    .post(`/certificates/${id}/revocations`, { reason: 'keyCompromise', comment: 'for this test' });

describe('a card with certificates of three CAs', () => {
  it('has one of each, by its own CA, with the names of the person', () => {
    expect(Object.keys(issued).sort()).toEqual([...CONTAINERS]);
    for (const container of CONTAINERS) {
      const certificate = new X509Certificate(Buffer.from(issued[container].certificate, 'base64'));
      expect(certificate.verify(cas[container].certificate.publicKey)).toBe(true);
      expect([certificate.subject, certificate.subjectAltName]).toEqual(['CN=Grace Hopper', `email:${EMAIL}`]);
      expect(issued[container].authority).toBe(container);
    }
  });

  it('is renewed at each of them: EST enrols again, and the old ones are revoked where that can be told', async () => {
    const past = "not_before = not_before - interval '9 days', not_after = not_after - interval '9 days'";
    await system.query(`UPDATE certificates SET ${past} WHERE card_id = $1`, [cardId]);
    const ran = await device.agent(['run', '--once', '--json']);
    expect(ran, ran.stderr + ran.stdout).toMatchObject({ exitCode: 0 });
    expect(est.asked.map(({ path }) => path).slice(-1)).toEqual(['/.well-known/est/simplereenroll']);

    const now = await active();
    for (const container of CONTAINERS) expect(now[container].id).not.toBe(issued[container].id);
    expect(await statusAtCfssl(issued['by-cfssl'].serialNumber)).toBe('revoked');
    expect(JSON.parse(readFileSync(join(cas['by-script'].folder, 'revoked.json'), 'utf8'))).toMatchObject({
      ...{ act: 'revoke', reason: 'superseded', serialNumber: issued['by-script'].serialNumber },
    });
  });

  it('and one that nobody can tell of a revocation shows what is left to be done by hand', async () => {
    const { serialNumber, id } = issued['by-est'];
    expect(await authorityOf('by-est')).toMatchObject({
      abilities: { revocation: 'by-hand' },
      pending: { revocations: 1 },
    });
    const path = '/certificate-authorities/by-est/hand-revocations';
    const done = await system
      .as('security-officer')
      .post(path, { serialNumber, comment: 'Revoked at the console of the CA' });
    expect(done.status, JSON.stringify(done.body)).toBe(201);
    expect((await system.as('auditor').get(`/certificates/${id}`)).body.status).toBe('revoked');
    expect(await authorityOf('by-est')).toMatchObject({ pending: { revocations: 0 } });
    const elsewhere = await system.as('security-officer').post(path.replace('by-est', 'by-cfssl'), {
      serialNumber: issued['by-cfssl'].serialNumber,
      comment: 'x',
    });
    expect([elsewhere.status, elsewhere.body.code]).toEqual([409, 'revocation-not-by-hand']);
  });

  it('is revoked at the CA that issued it', async () => {
    const { id, serialNumber } = (await active())['by-script'];
    expect((await revoke(id)).body).toMatchObject({ state: 'confirmed' });
    expect(readFileSync(join(cas['by-script'].folder, 'revoked.json'), 'utf8')).toContain(serialNumber);
    expect(existsSync(join(cas['by-script'].folder, 'revoked.pem'))).toBe(true);
  });

  it('is revoked as soon as its CA is back, and says so until then', async () => {
    const { id, serialNumber } = (await active())['by-cfssl'];
    await cfssl.kill();
    expect((await revoke(id)).body).toMatchObject({ state: 'proposed' });
    expect(await authorityOf('by-cfssl')).toMatchObject({
      health: { state: 'down', error: { code: 'ca-unavailable' } },
      pending: { revocations: 1 },
    });
    await cfssl.start();
    await until(
      { what: 'the revocation to be told', seconds: 40 },
      async () => (await statusAtCfssl(serialNumber)) === 'revoked',
    );
    await until(
      { what: 'the CA to be up', seconds: 40 },
      async () => (await authorityOf('by-cfssl')).health.state === 'up',
    );
    expect((await system.as('auditor').get(`/certificates/${id}`)).body.status).toBe('revoked');
    expect(await authorityOf('by-cfssl')).toMatchObject({ pending: { certificates: 0, revocations: 0, unwanted: 0 } });
  });
});

it('a certificate profile names only a CA that there is, and what it can do', async () => {
  const none = { userPrincipalName: false, kerberosPrincipal: false, securityIdentifier: false, organization: false };
  const profile = (authority: string, kind: string, userPrincipalName = false) => ({
    ...{ name: 'refused', kind, displayName: 'x', authority, keyTypes: ['ec-p256'], validitySeconds: TEN_DAYS },
    names: { ...none, userPrincipalName, email: 'required' },
  });
  for (const [authority, kind, account] of [
    ['nowhere', 'tls-client', false],
    ['by-cfssl', 'smime-signature', false],
    ['by-cfssl', 'tls-client', true],
  ] as const) {
    const answer = await system.as('security-officer').post('/certificate-profiles', profile(authority, kind, account));
    expect([answer.status, answer.body.code]).toEqual([422, 'certificate-profile-invalid']);
  }
});
