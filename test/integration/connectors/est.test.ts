import { X509Certificate } from 'node:crypto';
import {
  type CaConnector,
  type CertificateAuthority,
  createOpensslCa,
  type IssuanceRequest,
  indefinite,
  type OpensslCa,
  orderOf,
} from '@cardwright/cms/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ConnectorRig, connectorRig } from '../../support/connector-rig.ts';
import { certsOnly, EST_LOGIN, type EstServer, send, startEstServer } from '../../support/est-server.ts';

let ca: OpensslCa;
let est: EstServer;
let rig: ConnectorRig;
let settings: Record<string, unknown>;
let connector: CaConnector;
let authority: CertificateAuthority;
let request: IssuanceRequest;
let csr: Uint8Array;
let number = 0;

beforeAll(async () => {
  ca = createOpensslCa('EST CA');
  [est, rig] = await Promise.all([startEstServer(ca), connectorRig()]);
  csr = ca.request('/CN=Mary Major', { extensions: ['subjectAltName=email:mary@corp.example'] });
  settings = {
    ...{ kind: 'est', name: 'est', url: est.url, trust: est.trustFile, namesFrom: 'request', names: ['email'] },
    ...{ issuers: ca.certificateFile, profiles: { 'tls-client': 'cards' }, revokeByHand: true },
    login: { user: EST_LOGIN.user, passwordFile: rig.file('password', `${EST_LOGIN.password}\n`) },
  };
  connector = rig.one(settings);
  authority = rig.authority(connector);
});
afterAll(async () => {
  await est?.stop();
  await rig?.close();
  ca?.remove();
});
beforeEach(() => {
  request = orderOf(csr, { requestId: `request-${++number}` });
  est.answer = null;
  est.asked.length = 0;
});

const code = (value: string) => expect.objectContaining({ code: value });

describe('EST', () => {
  it('enrols, and enrols again for what follows a certificate, under the label of the profile', async () => {
    const issued = await authority.issue(request);
    expect(new X509Certificate(issued.certificate).subjectAltName).toBe('email:mary@corp.example');
    await authority.issue({ ...request, requestId: 'renewal', renewal: true });
    await authority.issue(request);
    expect(est.asked).toEqual([
      { path: '/.well-known/est/cards/simpleenroll', by: 'password' },
      { path: '/.well-known/est/cards/simplereenroll', by: 'password' },
    ]);
  });

  it('signs in with a certificate as well', async () => {
    const clientCertificate = { certificate: est.clientCertificateFile, key: est.clientKeyFile };
    const { login: _login, ...rest } = settings;
    const by = rig.one({ ...rest, name: 'by-certificate', profiles: { 'tls-client': '' }, clientCertificate });
    await rig.authority(by).issue(request);
    expect(est.asked).toEqual([{ path: '/.well-known/est/simpleenroll', by: 'certificate' }]);
  });

  it('tells its CA certificates, which are held against the configured ones', async () => {
    await expect(authority.health?.()).resolves.toBeUndefined();
    const other = createOpensslCa('EST CA');
    try {
      await expect(rig.one({ ...settings, name: 'x', issuers: other.certificateFile }).probe()).rejects.toEqual(
        code('ca-unavailable'),
      );
    } finally {
      other.remove();
    }
  });

  it('waits as long as the server says, and no longer than it may', async () => {
    let times = 0;
    est.answer = (_csr, response, sign) => {
      if (++times <= 2) response.writeHead(202, { 'retry-after': '0' }).end();
      else send(response, certsOnly(ca, ca.openssl(['x509', '-inform', 'DER'], sign())));
    };
    await authority.issue(request);
    expect(est.asked).toHaveLength(3);

    est.answer = (_csr, response) =>
      response.writeHead(202, { 'retry-after': new Date(Date.now() + 86_400_000).toUTCString() }).end();
    const impatient = rig.authority(rig.one({ ...settings, answerWithinSeconds: 1, giveUpAfterSeconds: 1 }));
    await expect(impatient.issue({ ...request, requestId: 'slow' })).rejects.toEqual(code('ca-unavailable'));
  });

  it('reads lengths of both forms, with the chain beside the certificate', async () => {
    est.answer = (_csr, response, sign) => send(response, indefinite(new Uint8Array(ca.certificate.raw), sign()));
    await authority.issue(request);
  });

  it('is not asked for what the request does not say', async () => {
    const other = {
      ...request,
      csr: ca.request('/CN=Mallory', { extensions: ['subjectAltName=email:mary@corp.example'] }),
    };
    await expect(authority.issue(other)).rejects.toMatchObject({ kind: 'unprocessable', code: 'csr-names-differ' });
    expect(est.asked).toEqual([]);
    // A CA with names of its own is asked, and held to the order afterwards.
    const fromCa = rig.authority(rig.one({ ...settings, name: 'from-ca', namesFrom: 'ca' }));
    await expect(fromCa.issue(other)).rejects.toEqual(code('ca-answer-other-names'));
  });

  it.each<[string, string, EstServer['answer']]>([
    [
      'another type',
      'ca-answer-malformed',
      (_csr, response) => response.writeHead(200, { 'content-type': 'text/html' }).end(''),
    ],
    [
      'no base64',
      'ca-answer-malformed',
      (_csr, response) => response.writeHead(200, { 'content-type': 'application/pkcs7-mime' }).end('<>'),
    ],
    ['no PKCS #7', 'ca-answer-malformed', (_csr, response) => send(response, new Uint8Array([0x30, 0]))],
    [
      'its own certificate',
      'ca-answer-not-from-ca',
      (_csr, response) => send(response, indefinite(new Uint8Array(ca.certificate.raw))),
    ],
    ['no', 'ca-refused', (_csr, response) => response.writeHead(400).end('no')],
    [
      'go elsewhere',
      'ca-unavailable',
      (_csr, response) => response.writeHead(302, { location: 'https://evil.example/' }).end(),
    ],
    ['nothing more', 'ca-unavailable', (_csr, response) => response.destroy()],
  ])('refuses an answer that is %s', async (_what, refusal, answer) => {
    est.answer = answer;
    await expect(authority.issue(request)).rejects.toEqual(code(refusal));
    expect(await rig.ends(request.requestId)).toEqual([refusal]);
  });

  it('gives its password to nobody whom the configured certificate does not vouch for', async () => {
    const stranger = rig.one({ ...settings, name: 'stranger', trust: ca.certificateFile });
    await expect(rig.authority(stranger).issue(request)).rejects.toEqual(code('ca-unavailable'));
    expect(await rig.ends(request.requestId)).toEqual(['not-asked']);
    expect(est.asked).toEqual([]);
    const wrongHost = rig.one({ ...settings, name: 'wrong-host', url: est.url.replace('localhost', 'localhost.') });
    await expect(rig.authority(wrongHost).issue({ ...request, requestId: 'host' })).rejects.toEqual(
      code('ca-unavailable'),
    );
    expect(est.asked).toEqual([]);
  });

  it('can not be told of a revocation: a person has to be', async () => {
    const { certificate } = await authority.issue(request);
    const serial = new X509Certificate(certificate).serialNumber.toLowerCase();
    expect(connector.description.revocation).toBe('by-hand');
    await expect(authority.revoke(serial, 'keyCompromise', new Date())).rejects.toMatchObject({
      kind: 'unavailable',
      code: 'revocation-by-hand',
    });
    const done = await rig.revokeByHand(connector, serial);
    expect(await authority.revoke(serial, 'keyCompromise', new Date())).toEqual({ revokedAt: done.revokedAt });
    const events = await rig.rows("SELECT actor_name FROM audit_events WHERE action = 'certificate.revoked-by-hand'");
    expect(events).toEqual([{ actor_name: 'officer' }]);
    await expect(rig.revokeByHand(connector, '99')).rejects.toEqual(code('not-found'));
  });
});
