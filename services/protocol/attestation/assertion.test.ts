import { generateKeyPairSync, sign } from 'node:crypto';
import { compactVerify, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { sized } from '../tpm/wire.ts';
import { assertionInput, parseAssertion, verifyAssertion } from './assertion.ts';
import { ATTESTATION_KEY_ATTRIBUTES, parseAttestationKey } from './attestation-key.ts';
import { attestationArea } from './testing/forger.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const key = parseAttestationKey(sized(attestationArea(publicKey, ATTESTATION_KEY_ATTRIBUTES)));
const now = new Date('2026-11-21T02:00:00Z');
const audience = 'https://cards.example.org/api/v1/agent/tokens';
const parts = { deviceId: 'd1', keyName: Buffer.from(key.name).toString('hex'), audience, now, jti: 'a'.repeat(22) };
const signed = (input: string, by = privateKey) =>
  `${input}.${sign('sha256', Buffer.from(input), { key: by, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
const judge = (assertion: string, at = now, audiences = [audience]) =>
  verifyAssertion(parseAssertion(assertion), { key, audiences, now: at });
const code = (wanted: string) => expect.objectContaining({ code: wanted, kind: 'unauthenticated' });
const changed = (claims: object, header: object = {}) => {
  const [first = '', second = ''] = assertionInput(parts).split('.');
  const part = (text: string, more: object) =>
    Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(text, 'base64url').toString()), ...more })).toString(
      'base64url',
    );
  return signed(`${part(first, header)}.${part(second, claims)}`);
};

describe('an assertion', () => {
  it('of ours is taken by jose, and one of jose by us', async () => {
    const ours = signed(assertionInput(parts));
    expect(() => judge(ours)).not.toThrow();
    const { payload } = await compactVerify(ours, publicKey);
    expect(JSON.parse(new TextDecoder().decode(payload))).toMatchObject({ iss: 'd1', sub: 'd1', aud: audience });
    const theirs = await new SignJWT({ iss: 'd1', sub: 'd1', aud: audience, jti: parts.jti })
      .setProtectedHeader({ alg: 'ES256', kid: parts.keyName })
      .setIssuedAt(now)
      .setExpirationTime(new Date(now.getTime() + 60_000))
      .sign(privateKey);
    expect(() => judge(theirs)).not.toThrow();
  });

  it('begins as no statement of a TPM does', () => {
    expect(assertionInput(parts).startsWith('eyJ')).toBe(true);
    expect(assertionInput({ ...parts, audience: `https://${'a'.repeat(250)}/x` }).length).toBeLessThan(1024);
  });

  it('by another key, or changed, is refused', () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
    const invalid = code('assertion-signature-invalid');
    expect(() => judge(signed(assertionInput(parts), other))).toThrow(invalid);
    const [header, , signature] = signed(assertionInput(parts)).split('.');
    const claims = assertionInput({ ...parts, deviceId: 'd2' }).split('.')[1];
    expect(() => judge(`${header}.${claims}.${signature}`)).toThrow(invalid);
  });

  it.each(['none', 'HS256', 'RS256', undefined])('of the algorithm %s is refused', (alg) => {
    expect(() => judge(changed({}, { alg }))).toThrow(code('assertion-malformed'));
  });

  it('for another server is refused, and told what is right', () => {
    const detail = expect.stringContaining('https://other.example.org');
    expect(() => judge(signed(assertionInput(parts)), now, ['https://other.example.org'])).toThrow(
      expect.objectContaining({ code: 'assertion-audience-wrong', detail }),
    );
  });

  it('of a clock that is ahead or behind is refused, and told by how much', () => {
    const at = (seconds: number) => new Date(now.getTime() + seconds * 1000);
    const assertion = signed(assertionInput(parts));
    expect(() => judge(assertion, at(-60))).not.toThrow();
    expect(() => judge(assertion, at(-3600))).toThrow(
      expect.objectContaining({
        code: 'assertion-not-yet-valid',
        detail: expect.stringContaining('3600 seconds ahead'),
      }),
    );
    expect(() => judge(assertion, at(179))).not.toThrow();
    expect(() => judge(assertion, at(3600))).toThrow(
      expect.objectContaining({ code: 'assertion-expired', detail: expect.stringContaining('3600 seconds ago') }),
    );
  });

  it('that would hold for hours is refused', () => {
    expect(() => judge(changed({ exp: now.getTime() / 1000 + 7200 }))).toThrow(code('assertion-lives-too-long'));
  });

  it.each([
    ['without a jti', { jti: undefined }],
    ['with a short jti', { jti: 'short' }],
    ['with another issuer', { iss: 'd2' }],
    ['for several servers', { aud: [audience] }],
    ['without an end', { exp: undefined }],
    ['with a broken end', { exp: 1e300 }],
  ])('%s is refused', (_, claims) => {
    expect(() => judge(changed(claims))).toThrow(code('assertion-malformed'));
  });

  it.each(['', '.', 'a.b', 'a.b.c', `${'a'.repeat(3000)}.b.${'c'.repeat(86)}`, `bm8.bm8.${'c'.repeat(86)}`])(
    'that is none (%s) is refused',
    (text) => {
      expect(() => judge(text)).toThrow(code('assertion-malformed'));
    },
  );
});
