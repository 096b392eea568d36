import { X509Certificate } from 'node:crypto';
import {
  type CaConnector,
  type CertificateAuthority,
  createOpensslCa,
  type IssuanceRequest,
  type OpensslCa,
  orderOf,
} from '@cardwright/cms/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Cfssl, startCfssl } from '../../support/cfssl.ts';
import { type ConnectorRig, connectorRig } from '../../support/connector-rig.ts';
import { type FaultProxy, startFaultProxy } from '../../support/fault-proxy.ts';

let ca: OpensslCa;
let cfssl: Cfssl;
let proxy: FaultProxy;
let rig: ConnectorRig;
let settings: Record<string, unknown>;
let connector: CaConnector;
let authority: CertificateAuthority;
let request: IssuanceRequest;
let csr: Uint8Array;
let number = 0;

beforeAll(async () => {
  ca = createOpensslCa('CFSSL CA');
  [cfssl, rig] = await Promise.all([startCfssl(ca), connectorRig()]);
  proxy = await startFaultProxy(cfssl.url);
  csr = ca.request('/CN=Mallory', { extensions: ['subjectAltName=email:mallory@evil.example'] });
  settings = {
    ...{ kind: 'cfssl', name: 'corp', url: `${proxy.url}/`, authenticationKeyFile: cfssl.keyFile },
    ...{
      issuers: ca.certificateFile,
      profiles: { 'tls-client': 'tls-client' },
    },
  };
  connector = rig.one(settings);
  authority = rig.authority(connector);
});
afterAll(async () => {
  await proxy?.close();
  await cfssl?.stop();
  await rig?.close();
  ca?.remove();
});
beforeEach(() => {
  request = orderOf(csr, { requestId: `request-${++number}` });
});

const statusOf = async (certificate: Uint8Array) => {
  const serial = new X509Certificate(certificate).serialNumber.toLowerCase();
  return (await cfssl.certificates()).find((one) => one.serial === serial);
};
const made = async () => (await cfssl.certificates()).length;
const unavailable = expect.objectContaining({ kind: 'unavailable', code: 'ca-unavailable' });

describe('CFSSL issues', () => {
  it('with the names of the order and not of the request, once for a request, and revokes', async () => {
    const before = await made();
    const issued = await authority.issue(request);
    const certificate = new X509Certificate(issued.certificate);
    expect(certificate.subject).toBe('CN=Mary Major');
    expect(certificate.subjectAltName).toBe('email:mary@corp.example');
    expect(issued.ignored).toEqual(['subject', 'extension 2.5.29.17']);
    expect(issued.chain.map((one) => Buffer.from(one))).toEqual([ca.certificate.raw]);

    const [again, found] = [await authority.issue(request), await authority.find(request.requestId)];
    expect([again.certificate, found?.certificate].map((one) => Buffer.from(one ?? []))).toEqual(
      Array(2).fill(Buffer.from(issued.certificate)),
    );
    expect(await made()).toBe(before + 1);

    const serial = certificate.serialNumber.toLowerCase();
    const revokedAt = new Date();
    expect(await statusOf(issued.certificate)).toMatchObject({ status: 'good' });
    expect(await authority.revoke(serial, 'keyCompromise', revokedAt)).toEqual({ revokedAt });
    expect(await statusOf(issued.certificate)).toMatchObject({ status: 'revoked', reason: 1 });
    await authority.revoke(serial, 'keyCompromise', revokedAt);
  });

  it('once for a request that many ask for at the same time, in one process and in several', async () => {
    const before = await made();
    const others = [rig.authority(connector), rig.authority(connector)];
    const asked = [authority, authority, ...others].map((one) => one.issue(request));
    const done = (await Promise.allSettled(asked)).filter((one) => one.status === 'fulfilled');
    expect(done.length).toBeGreaterThan(0);
    expect(await made()).toBe(before + 1);
    expect(await rig.answers(request.requestId)).toMatchObject([{ state: 'chosen' }]);
  });

  it('nothing that it can not express: it is not even asked', async () => {
    const names = { ...request.subjectAltName, userPrincipalName: 'mary@corp.example' };
    await expect(authority.issue({ ...request, subjectAltName: names })).rejects.toMatchObject({
      kind: 'unprocessable',
      code: 'ca-name-not-offered',
    });
    await expect(authority.issue({ ...request, profile: 'smart-card-sign-in' })).rejects.toMatchObject({
      kind: 'unprocessable',
      code: 'ca-profile-not-offered',
    });
    expect(await rig.ends(request.requestId)).toEqual([]);
  });
});

describe('when CFSSL', () => {
  it('is away, nothing is lost and it is asked again as soon as it is back', async () => {
    await cfssl.kill();
    await expect(rig.authority(rig.one({ ...settings, url: cfssl.url })).issue(request)).rejects.toEqual(unavailable);
    expect(await rig.ends(request.requestId)).toEqual(['not-asked']);
    expect(await rig.states()).toMatchObject([{ name: 'corp', state: 'down', code: 'ca-unavailable' }]);
    await cfssl.start();
    await authority.issue(request);
    expect(await rig.states()).toMatchObject([{ name: 'corp', state: 'up', code: null }]);
  });

  it('answers too late, the answer is still taken, and it is not asked twice', async () => {
    const before = await made();
    proxy.arm('/authsign', 'before', () => new Promise((resolve) => setTimeout(resolve, 1300)));
    const impatient = rig.authority(rig.one({ ...settings, answerWithinSeconds: 1 }));
    await expect(impatient.issue(request)).rejects.toEqual(unavailable);
    // Another process does not ask while the question is open.
    await expect(rig.authority(connector).issue(request)).rejects.toEqual(unavailable);
    await expect.poll(() => rig.answers(request.requestId), { timeout: 10_000 }).toMatchObject([{ state: 'chosen' }]);
    await authority.issue(request);
    expect(await made()).toBe(before + 1);
  });

  it('issued and its answer was lost, it is asked again after a pause: what was lost was never anybody’s', async () => {
    const before = await made();
    proxy.arm('/authsign', 'after', async () => undefined);
    await expect(authority.issue(request)).rejects.toEqual(unavailable);
    expect(await made()).toBe(before + 1);
    expect(await rig.ends(request.requestId)).toEqual(['ca-unavailable']);
    await expect(authority.issue(request)).rejects.toMatchObject({
      detail: expect.stringContaining('asked again from'),
    });
    expect(await rig.ends(request.requestId)).toEqual(['ca-unavailable']);
    await rig.authority(connector, 6).issue(request);
    expect(await made()).toBe(before + 2);
    expect(await rig.answers(request.requestId)).toMatchObject([{ state: 'chosen' }]);
  });

  it('gives a longer time than ordered, the certificate is recorded, refused and revoked', async () => {
    const wrong = rig.one({ ...settings, name: 'wrong', profiles: { 'tls-client': 'too-long' } });
    const asked = rig.authority(wrong);
    for (let time = 1; time <= 3; time++) {
      await expect(asked.issue(request)).rejects.toMatchObject({ kind: 'internal', code: 'ca-answer-other-validity' });
    }
    // Each is a certificate in the world: after three it is not asked any more.
    await expect(asked.issue(request)).rejects.toMatchObject({ kind: 'unprocessable', code: 'ca-answers-wrong' });
    const answers = await rig.answers(request.requestId);
    expect(answers).toMatchObject(Array(3).fill({ state: 'unwanted', code: 'ca-answer-other-validity' }));
    expect(await asked.find(request.requestId)).toBeNull();

    expect(await rig.revokeUnwanted(wrong)).toBe(3);
    expect(await rig.answers(request.requestId)).toMatchObject(Array(3).fill({ state: 'revoked' }));
    const serials = answers.map(({ serial_number }) => serial_number);
    const there = (await cfssl.certificates()).filter(({ serial }) => serials.includes(serial));
    expect(there).toMatchObject(Array(3).fill({ status: 'revoked', reason: 5 }));
    expect(await rig.revokeUnwanted(wrong)).toBe(0);
    const events = await rig.rows('SELECT action, code FROM audit_events WHERE actor_id IN ($1, $2) ORDER BY id', [
      'authority:wrong',
      'worker',
    ]);
    expect(events.map((one) => (one as { action: string }).action)).toEqual([
      ...Array(3).fill('certificate.answer-refused'),
      ...Array(3).fill('certificate.answer-revoked'),
    ]);
  });

  it('does not know who asks, that is the operator’s to mend, and what it refuses is refused', async () => {
    const stranger = rig.one({
      ...settings,
      name: 'stranger',
      authenticationKeyFile: rig.file('x.key', '00'.repeat(32)),
    });
    await expect(rig.authority(stranger).issue(request)).rejects.toEqual(unavailable);
    const unknown = rig.one({ ...settings, name: 'unknown', profiles: { 'tls-client': 'no-such-profile' } });
    await expect(rig.authority(unknown).issue(request)).rejects.toEqual(unavailable);
    const broken = { ...request, requestId: 'broken', subject: { commonName: 'Mary Major' }, csr: csr.slice(0, -1) };
    await expect(connector.enrol(broken, AbortSignal.timeout(5000))).rejects.toMatchObject({
      kind: 'unprocessable',
      code: 'ca-refused',
    });
  });

  it('signs with another certificate than the configured one, it is not the CA of the configuration', async () => {
    await expect(authority.health?.()).resolves.toBeUndefined();
    const other = createOpensslCa('CFSSL CA');
    try {
      const impostor = rig.one({ ...settings, name: 'impostor', issuers: other.certificateFile });
      await expect(rig.authority(impostor).health?.()).rejects.toEqual(unavailable);
      await expect(rig.authority(impostor).issue(request)).rejects.toMatchObject({ code: 'ca-answer-not-from-ca' });
      expect(await rig.answers(request.requestId)).toEqual([]);
    } finally {
      other.remove();
    }
  });
});
