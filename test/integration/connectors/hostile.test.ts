import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import {
  type CaConnector,
  type CertificateAuthority,
  createCertificateReader,
  createOpensslCa,
  type IssuanceRequest,
  type OpensslCa,
  orderOf,
  TLS_CLIENT,
} from '@cardwright/cms/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ConnectorRig, connectorRig } from '../../support/connector-rig.ts';

/** A CA that speaks CFSSL's language and answers whatever the test says. */
const hostile = createServer((request, response) => {
  request.resume().on('end', () => {
    asked.push(request.url ?? '');
    if (request.url?.endsWith('/revoke')) revoke(response);
    else answer(response);
  });
});
const asked: string[] = [];
let answer: (response: ServerResponse) => void;
let revoke: (response: ServerResponse) => void;
let ca: OpensslCa;
let rig: ConnectorRig;
let connector: CaConnector;
let authority: CertificateAuthority;
let impatient: CertificateAuthority;
let csr: Uint8Array;
let request: IssuanceRequest;
let number = 0;
const reader = createCertificateReader();

const json = (result: object) => (response: ServerResponse) =>
  response.end(JSON.stringify({ success: true, result, errors: [], messages: [] }));
const pem = (...certificates: Uint8Array[]) =>
  json({ certificate: certificates.map((one) => ca.openssl(['x509', '-inform', 'DER'], one).toString()).join('') });
const good = (key = reader.publicKeyOf(csr)) => ca.issue(key, { subject: '/CN=Mary Major', extensions: TLS_CLIENT });
const code = (value: string) => expect.objectContaining({ code: value });

beforeAll(async () => {
  ca = createOpensslCa();
  rig = await connectorRig();
  csr = ca.request('/CN=x');
  await new Promise<void>((resolve) => hostile.listen(0, '127.0.0.1', resolve));
  const settings = {
    ...{ kind: 'cfssl', name: 'hostile', url: `http://127.0.0.1:${(hostile.address() as AddressInfo).port}/` },
    ...{ issuers: ca.certificateFile, profiles: { 'tls-client': 'x' } },
  };
  connector = rig.one(settings);
  impatient = rig.authority(rig.one({ ...settings, answerWithinSeconds: 1, giveUpAfterSeconds: 2 }));
  authority = rig.authority(connector);
});
afterAll(async () => {
  hostile.close();
  hostile.closeAllConnections();
  await rig?.close();
  ca?.remove();
});
beforeEach(() => {
  request = orderOf(csr, { requestId: `request-${++number}` });
  revoke = json({});
  asked.length = 0;
});

describe('a CA that answers', () => {
  it('for another key: recorded, refused, revoked', async () => {
    answer = pem(good(reader.publicKeyOf(ca.request('/CN=y'))));
    await expect(authority.issue(request)).rejects.toMatchObject({ kind: 'internal', code: 'ca-answer-other-key' });
    expect(await rig.answers(request.requestId)).toMatchObject([{ state: 'unwanted', code: 'ca-answer-other-key' }]);
    expect(await rig.revokeUnwanted(connector)).toBe(1);
    expect(await rig.answers(request.requestId)).toMatchObject([{ state: 'revoked' }]);

    answer = pem(good());
    await authority.issue(request);
    expect((await rig.answers(request.requestId)).map(({ state }) => state)).toEqual(['revoked', 'chosen']);
  });

  it('with the certificate of another request: that one is not revoked', async () => {
    const theirs = good(reader.publicKeyOf(ca.request('/CN=theirs')));
    await rig.receive(connector, 'their-request', theirs);
    answer = pem(theirs);
    await expect(authority.issue(request)).rejects.toEqual(code('ca-answer-repeated'));
    expect(await rig.answers(request.requestId)).toEqual([]);
    expect(await rig.answers('their-request')).toMatchObject([{ state: 'received' }]);
    expect(await rig.revokeUnwanted(connector)).toBe(0);
  });

  it('twice at once: one is chosen, the other is revoked', async () => {
    const [one, two] = [good(), good()];
    answer = pem(one, two, one, new Uint8Array(ca.certificate.raw));
    const issued = await authority.issue(request);
    expect([one, two].map((each) => Buffer.from(each))).toContainEqual(Buffer.from(issued.certificate));
    const answers = await rig.answers(request.requestId);
    expect(answers.map(({ state }) => state).sort()).toEqual(['chosen', 'unwanted']);
    expect(answers.find(({ state }) => state === 'unwanted')?.code).toBe('ca-answer-repeated');
    expect(await rig.revokeUnwanted(connector)).toBe(1);
    const found = await authority.find(request.requestId);
    expect(Buffer.from(found?.certificate ?? [])).toEqual(Buffer.from(issued.certificate));
  });

  it.each<[string, string, () => void]>([
    ['no JSON', 'ca-answer-malformed', () => (answer = (response) => response.end('<html>'))],
    ['JSON of another shape', 'ca-answer-malformed', () => (answer = (response) => response.end('[[[[]]]]'))],
    ['no certificate', 'ca-answer-malformed', () => (answer = json({ certificate: 7 }))],
    [
      'garbage in PEM',
      'ca-answer-malformed',
      () => (answer = json({ certificate: '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----' })),
    ],
    ['too much', 'ca-answer-too-large', () => (answer = (response) => response.end('x'.repeat(300_000)))],
    ['without an end', 'ca-answer-too-large', () => (answer = (response) => drip(response, 64 * 1024, 0))],
    ['byte by byte', 'ca-unavailable', () => (answer = (response) => drip(response, 1, 100))],
    [
      'and breaks off',
      'ca-unavailable',
      () =>
        (answer = (response) => response.writeHead(200, { 'content-length': 9 }).write('{', () => response.destroy())),
    ],
    ['nothing', 'ca-unavailable', () => (answer = () => undefined)],
    [
      'that it failed',
      'ca-unavailable',
      () => (answer = (response) => response.writeHead(500).end('{"success":false}')),
    ],
    [
      'go elsewhere',
      'ca-answer-malformed',
      () => (answer = (response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end('{}')),
    ],
    [
      'no',
      'ca-refused',
      () =>
        (answer = (response) =>
          response.writeHead(400).end('{"success":false,"errors":[{"code":5300,"message":"policy"}]}')),
    ],
  ])('%s', async (_what, refusal, set) => {
    set();
    const endless = refusal === 'ca-unavailable';
    await expect((endless ? impatient : authority).issue(request)).rejects.toEqual(code(refusal));
    await expect.poll(() => rig.ends(request.requestId), { timeout: 10_000 }).toEqual([refusal]);
    expect(asked).toHaveLength(1);
    expect(await rig.answers(request.requestId)).toEqual([]);
  });

  it('nothing of use, or what is another’s: it is not asked for ever', async () => {
    const theirs = good(reader.publicKeyOf(ca.request('/CN=theirs')));
    await rig.receive(connector, `${request.requestId}-theirs`, theirs);
    for (const sent of [json({ certificate: 7 }), pem(theirs), (response: ServerResponse) => response.end('<html>')]) {
      answer = sent;
      await expect(authority.issue(request)).rejects.toMatchObject({ kind: 'internal' });
    }
    await expect(authority.issue(request)).rejects.toEqual(code('ca-answers-wrong'));
    expect(asked).toHaveLength(3);
    expect(await rig.ends(request.requestId)).toEqual([
      'ca-answer-malformed',
      'ca-answer-repeated',
      'ca-answer-malformed',
    ]);
  });

  it('and does not hear of a revocation: it is told again', async () => {
    answer = pem(good(reader.publicKeyOf(ca.request('/CN=z'))));
    await expect(authority.issue(request)).rejects.toEqual(code('ca-answer-other-key'));
    revoke = (response) => response.writeHead(503).end();
    await expect(rig.revokeUnwanted(connector)).rejects.toEqual(code('ca-unavailable'));
    expect(await rig.answers(request.requestId)).toMatchObject([{ state: 'unwanted' }]);
    revoke = json({});
    await rig.rows('DELETE FROM authority_states');
    expect(await rig.revokeUnwanted(connector)).toBe(1);
    expect(asked.filter((path) => path.endsWith('/revoke'))).toHaveLength(2);
  });
});

it('a CA without holds is asked for none', async () => {
  expect(authority.release).toBeUndefined();
  await expect(authority.revoke('0a', 'certificateHold', new Date())).rejects.toMatchObject({
    kind: 'unprocessable',
    code: 'hold-not-offered',
  });
  await expect(authority.revoke('0a', 'superseded', new Date())).rejects.toEqual(code('certificate-unknown-to-ca'));
});

it('a program that takes holds is told of them, and of their end', async () => {
  const told = join(rig.folder, 'told');
  const program = rig.file('hold.sh', `#!/bin/bash\ncat > /dev/null; echo "$CARDWRIGHT_REQUEST" >> ${told}\n`, 0o755);
  const issue = rig.file(
    'issue.sh',
    `#!/bin/bash\ncat ${rig.file('held.pem', ca.openssl(['x509', '-inform', 'DER'], good()).toString())}\n`,
    0o755,
  );
  const settings = { kind: 'script', name: 'holds', issuers: ca.certificateFile, profiles: { 'tls-client': 'x' } };
  const holds = rig.authority(
    rig.one({ ...settings, issue: [issue], revoke: [program], names: ['email'], hold: true }),
  );
  const serial = new X509Certificate((await holds.issue(request)).certificate).serialNumber.toLowerCase();
  const at = new Date();
  expect(await holds.revoke(serial, 'certificateHold', at)).toEqual({ revokedAt: at });
  expect(await holds.release?.(serial, at)).toEqual({ releasedAt: at });
  const lines = readFileSync(told, 'utf8').trim().split('\n');
  expect(lines.map((line) => JSON.parse(line).reason)).toEqual(['certificateHold', 'removeFromCRL']);
});

describe('a process that is killed', () => {
  it('before it judged what came: the next one judges it and does not ask', async () => {
    const stored = good();
    await rig.receive(connector, request.requestId, stored);
    const issued = await authority.issue(request);
    expect(Buffer.from(issued.certificate)).toEqual(Buffer.from(stored));
    expect(asked).toEqual([]);
  });

  it('while it asked: nobody knows what came of it, and the next one waits before it asks', async () => {
    answer = () => undefined;
    authority.issue(request).catch(() => undefined);
    await expect.poll(() => rig.ends(request.requestId)).toEqual([null]);
    await expect(rig.authority(connector).issue(request)).rejects.toEqual(code('ca-unavailable'));
    answer = pem(good());
    await rig.authority(connector, 70).issue(request);
    expect(await rig.answers(request.requestId)).toMatchObject([{ state: 'chosen' }]);
  });
});

it('a database that fails for a moment makes nobody forget what came', async () => {
  const [{ role = '' } = {}] = await rig.rows<{ role: string }>(
    "SELECT grantee AS role FROM information_schema.role_table_grants WHERE table_name = 'authority_states' AND grantee LIKE '%cms%'",
  );
  await rig.rows(`REVOKE INSERT ON authority_answers FROM "${role}"`);
  answer = pem(good());
  const issued = authority.issue(request);
  await expect.poll(() => rig.unstored(), { timeout: 10_000 }).toBeGreaterThan(0);
  await rig.rows(`GRANT INSERT ON authority_answers TO "${role}"`);
  await issued;
  expect(asked).toHaveLength(1);
  expect(await rig.answers(request.requestId)).toMatchObject([{ state: 'chosen' }]);
});

it('what was asked and what came is changed by nobody', async () => {
  answer = pem(good());
  await authority.issue(request);
  for (const statement of [
    'UPDATE issuance_attempts SET authority = $1',
    'DELETE FROM issuance_attempt_ends WHERE code <> $1',
    "UPDATE authority_answers SET state = 'received' WHERE authority <> $1",
    "UPDATE authority_answers SET request_id = $1 WHERE state = 'chosen'",
    'DELETE FROM authority_answers WHERE authority <> $1',
  ]) {
    await expect(rig.rows(statement, ['x']), statement).rejects.toMatchObject({ code: '42501' });
  }
});

function drip(response: ServerResponse, bytes: number, everyMillis: number): void {
  async function* chunks() {
    for (;;) {
      yield '{'.repeat(bytes);
      if (everyMillis > 0) await new Promise((resolve) => setTimeout(resolve, everyMillis));
    }
  }
  pipeline(Readable.from(chunks()), response, () => undefined);
}
