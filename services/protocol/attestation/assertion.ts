import { DomainError } from '../errors.ts';
import type { AttestationKey } from './attestation-key.ts';
import { isSignedBy } from './ec-signature.ts';

/** How long an assertion holds, in seconds: it is used at once. */
export const ASSERTION_SECONDS = 120;
/** An assertion may not say that it holds longer. */
const MOST_SECONDS = 300;
/** By how much the clocks of device and server may differ. */
const LEEWAY_SECONDS = 60;
const MAX_CHARACTERS = 2048;

export interface AssertionParts {
  readonly deviceId: string;
  /** Name of the attestation key, hex. */
  readonly keyName: string;
  /** The token endpoint's URL, as the device reaches it. */
  readonly audience: string;
  readonly now: Date;
  /** 128 random bits or more, printable. */
  readonly jti: string;
}

/**
 * The signing input of a JWT by which a device asks for an access token (RFC 7523, section 3), ES256. It begins with `eyJ`,
 * so that a TPM lets its restricted attestation key sign it: TPM_GENERATED begins with 0xff.
 */
export function assertionInput(parts: AssertionParts): string {
  const iat = Math.floor(parts.now.getTime() / 1000);
  const header = { alg: 'ES256', typ: 'JWT', kid: parts.keyName };
  const { deviceId, audience, jti } = parts;
  const claims = { iss: deviceId, sub: deviceId, aud: audience, iat, exp: iat + ASSERTION_SECONDS, jti };
  return `${encode(header)}.${encode(claims)}`;
}

export interface ParsedAssertion {
  readonly deviceId: string;
  readonly keyName: string;
  readonly audience: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly jti: string;
  readonly input: string;
  readonly signature: Uint8Array;
}

/** Throws `assertion-malformed` (unauthenticated). Says nothing of who signed it. */
export function parseAssertion(assertion: string): ParsedAssertion {
  const found = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{86})$/.exec(assertion);
  if (found === null || assertion.length > MAX_CHARACTERS) throw malformed('it is not a signed JWT of ES256');
  const [, header = '', claims = '', signature = ''] = found;
  const { alg, kid } = decode(header);
  // The one algorithm there is: what the header says of others is not even looked at.
  if (alg !== 'ES256') throw malformed('its algorithm must be ES256');
  const { iss, sub, aud, iat, exp, jti } = decode(claims);
  const text = (value: unknown, most: number): value is string =>
    typeof value === 'string' && value.length > 0 && value.length <= most;
  if (!text(kid, 132) || !text(sub, 64) || iss !== sub || !text(aud, 600) || !text(jti, 64) || jti.length < 16) {
    throw malformed('kid, iss, sub, aud and jti must be there, and iss must be sub');
  }
  if (!Number.isSafeInteger(iat) || !Number.isSafeInteger(exp)) throw malformed('iat and exp must be whole seconds');
  return {
    deviceId: sub,
    keyName: kid,
    audience: aud,
    issuedAt: iat as number,
    expiresAt: exp as number,
    jti,
    input: `${header}.${claims}`,
    signature: new Uint8Array(Buffer.from(signature, 'base64url')),
  };
}

/**
 * Whether the device's attestation key signed it, for us, for now. That it was not used before is for the caller to know.
 * Throws (all unauthenticated) `assertion-signature-invalid`, `assertion-audience-wrong`, `assertion-expired`,
 * `assertion-not-yet-valid`, `assertion-lives-too-long`.
 */
export function verifyAssertion(
  assertion: ParsedAssertion,
  expected: { readonly key: AttestationKey; readonly audiences: readonly string[]; readonly now: Date },
): void {
  if (!isSignedBy(expected.key.key, new TextEncoder().encode(assertion.input), assertion.signature)) {
    throw refused('assertion-signature-invalid', "It was not signed by this device's attestation key.");
  }
  if (!expected.audiences.includes(assertion.audience)) {
    const right = expected.audiences.join(' or ');
    throw refused('assertion-audience-wrong', `It is meant for another server; here its audience must be ${right}.`);
  }
  const now = Math.floor(expected.now.getTime() / 1000);
  const clock = `The server's clock says ${new Date(now * 1000).toISOString()}`;
  if (assertion.issuedAt > now + LEEWAY_SECONDS) {
    const ahead = assertion.issuedAt - now;
    throw refused('assertion-not-yet-valid', `${clock}, the device's is ${ahead} seconds ahead: set it right.`);
  }
  if (assertion.expiresAt <= now - LEEWAY_SECONDS) {
    const behind = now - assertion.issuedAt;
    throw refused(
      'assertion-expired',
      `${clock}; it was made ${behind} seconds ago, by the device's clock: set it right.`,
    );
  }
  if (assertion.expiresAt - assertion.issuedAt > MOST_SECONDS) {
    throw refused('assertion-lives-too-long', `An assertion holds for ${MOST_SECONDS} seconds at most.`);
  }
}

function refused(code: string, detail: string): DomainError {
  return new DomainError('unauthenticated', code, detail);
}

function malformed(reason: string): DomainError {
  return refused('assertion-malformed', `The assertion can't be read: ${reason}.`);
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function decode(part: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  } catch {
    throw malformed('its parts must be JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed('its parts must be objects');
  return value as Record<string, unknown>;
}
