import { execFileSync } from 'node:child_process';
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FlattenedSign, flattenedVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { beginDetachedJws, parseDetachedJws } from './detached-jws.ts';
import { enrolmentProofStatement } from './proof-statement.ts';
import { parseSignedData } from './signed-data.ts';

const proof = {
  enrolmentId: '0199f2a0-7777-7000-8000-000000000007',
  nonce: new Uint8Array(32).fill(0xab),
  cardSerial: 'CW-7K3M-92QF',
  container: 'sign-in',
  requestHash: new Uint8Array(32).fill(0x12),
};
const statement = enrolmentProofStatement(proof);
const thumbprint = 'ab'.repeat(32);
const codeOf = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    return (error as { code?: string }).code;
  }
};

it('the statement is lines of just these facts', () => {
  expect(Buffer.from(statement).toString('utf8')).toBe(
    `${[
      'Cardwright: this key is for a card of mine, v1',
      `enrolment ${proof.enrolmentId}`,
      `nonce ${'ab'.repeat(32)}`,
      'card CW-7K3M-92QF',
      'container sign-in',
      `request ${'12'.repeat(32)}`,
    ].join('\n')}\n`,
  );
  expect(() => enrolmentProofStatement({ ...proof, container: 'a\nrequest b' })).toThrow(RangeError);
});

describe('a detached JWS', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

  it('of ours is one for jose, and one of jose is one for us', async () => {
    const begun = beginDetachedJws('ES256', thumbprint, statement);
    const jws = begun.finish(sign('sha256', begun.input, { key: privateKey, dsaEncoding: 'ieee-p1363' }));
    const [header = '', none, signature = ''] = jws.split('.');
    expect(none).toBe('');
    const payload = Buffer.from(statement).toString('base64url');
    const taken = await flattenedVerify({ protected: header, payload, signature }, publicKey);
    expect(taken.protectedHeader).toMatchObject({ alg: 'ES256' });

    const theirs = await new FlattenedSign(statement)
      .setProtectedHeader({ alg: 'ES256', x5c: ['MIIB'] })
      .sign(privateKey);
    const parsed = parseDetachedJws(`${theirs.protected}..${theirs.signature}`);
    expect(parsed).toMatchObject({ algorithm: 'ES256', payload: null });
    expect(parsed.signer).toEqual({ certificate: new Uint8Array(Buffer.from('MIIB', 'base64')) });
    const key = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const;
    expect(verify('sha256', parsed.signingInput(statement), key, parsed.signature)).toBe(true);
    expect(parseDetachedJws(jws).signer).toEqual({ thumbprint });
    expect(parseDetachedJws(`${theirs.protected}.${theirs.payload}.${theirs.signature}`).payload).toEqual(statement);
  });

  it('that is none, or would be read in another way, is refused', () => {
    const header = (fields: object) => Buffer.from(JSON.stringify(fields)).toString('base64url');
    const x5t = { 'x5t#S256': Buffer.alloc(32).toString('base64url') };
    expect(codeOf(() => parseDetachedJws(`${header({ alg: 'ES256', ...x5t })}..AA`))).toBeUndefined();
    const refused = [
      '',
      '..',
      'e30..AA',
      `${header({ alg: 'none', ...x5t })}..AA`,
      `${header({ alg: 'HS256', ...x5t })}..AA`,
      `${header({ alg: 'ES256' })}..AA`,
      `${header({ alg: 'ES256', ...x5t, x5c: ['MIIB'] })}..AA`,
      `${header({ alg: 'ES256', 'x5t#S256': 'AA' })}..AA`,
      `${header({ alg: 'ES256', ...x5t, jwk: {} })}..AA`,
      `${header({ alg: 'ES256', ...x5t, b64: false, crit: ['b64'] })}..AA`,
      `${header({ alg: 'ES256', ...x5t })}..A+/A`,
      `${header({ alg: 'ES256', ...x5t })}..`,
      `${header({ alg: 'ES256', ...x5t })}..AA.AA`,
      `${header(['ES256'])}..AA`,
      `${header({ alg: 'ES256', ...x5t })}.${'A'.repeat(17_000)}.AA`,
    ];
    for (const text of refused) expect([text, codeOf(() => parseDetachedJws(text))]).toEqual([text, 'proof-malformed']);
  });
});

describe('CMS SignedData by openssl', () => {
  const directory = mkdtempSync(join(tmpdir(), 'cardwright-cms-'));
  const at = (name: string) => join(directory, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] });
  beforeAll(() => {
    writeFileSync(at('statement'), statement);
    for (const [name, key] of [
      ['ec', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']],
      ['rsa', ['-newkey', 'rsa:2048']],
    ] as const) {
      openssl(
        'req',
        '-x509',
        ...key,
        '-nodes',
        '-keyout',
        at(`${name}.key`),
        '-out',
        at(`${name}.pem`),
        '-subj',
        '/CN=x',
      );
    }
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const cms = (name: string, ...options: string[]): Buffer =>
    openssl(
      ...['cms', '-sign', '-binary', '-in', at('statement'), '-outform', 'DER'],
      ...['-signer', at(`${name}.pem`), '-inkey', at(`${name}.key`), ...options],
    );

  it.each([
    ['ec', [], { scheme: 'ecdsa', digest: 'sha256', content: null }],
    ['rsa', ['-md', 'sha512'], { scheme: 'rsa-pkcs1', digest: 'sha512', content: null }],
    ['ec', ['-nodetach', '-md', 'sha384'], { scheme: 'ecdsa', digest: 'sha384', content: statement }],
  ] as const)('is read, of a key of %s with %j', (name, options, expected) => {
    const read = parseSignedData(cms(name, ...options));
    const { content, ...rest } = expected;
    expect(read).toMatchObject(rest);
    expect(read.content === null ? null : new Uint8Array(read.content)).toEqual(content);
    expect(read.certificates).toHaveLength(1);
    const covered = read.signedAttributes ?? statement;
    const key = createPublicKey(createPrivateKey(readFileSync(at(`${name}.key`))));
    expect(verify(read.digest, covered, key, read.signature)).toBe(true);
  });

  it('is read without certificates, by key identifier, and without signed attributes', () => {
    expect(parseSignedData(cms('ec', '-nocerts')).certificates).toEqual([]);
    expect(parseSignedData(cms('ec', '-keyid')).signer).toHaveProperty('subjectKeyIdentifier');
    const plain = parseSignedData(cms('rsa', '-noattr'));
    expect(plain).toMatchObject({ signedAttributes: null, messageDigest: null });
  });

  it('of two signers, with SHA-1, with RSA-PSS, in BER or cut off is refused', () => {
    const good = cms('ec');
    const refused = [
      cms('ec', '-signer', at('rsa.pem'), '-inkey', at('rsa.key')),
      cms('rsa', '-md', 'sha1'),
      cms('rsa', '-keyopt', 'rsa_padding_mode:pss'),
      cms('ec', '-nodetach', '-stream'),
      Buffer.concat([good, Buffer.of(0)]),
      Buffer.alloc(33 * 1024, 0x30),
      randomBytes(200),
      ...[...Array(20).keys()].map((i) => good.subarray(0, Math.floor((good.length * i) / 20))),
    ];
    for (const der of refused) expect(codeOf(() => parseSignedData(der))).toBe('proof-malformed');
  });
});
