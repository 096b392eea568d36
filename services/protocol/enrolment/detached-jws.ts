import { DomainError } from '../errors.ts';
import type { KeyType } from '../key-types.ts';

/** Of JWA (RFC 7518, section 3.1), those that keys of cards and of usual software certificates make. */
export const JWS_ALGORITHMS = ['ES256', 'ES384', 'RS256', 'PS256'] as const;
export type JwsAlgorithm = (typeof JWS_ALGORITHMS)[number];

/** What a card's key signs a JWS with. */
export const ALGORITHM_OF_KEY: Readonly<Record<KeyType, JwsAlgorithm>> = {
  'ec-p256': 'ES256',
  'ec-p384': 'ES384',
  'rsa-2048': 'RS256',
  'rsa-3072': 'RS256',
};
export const HASH_OF_ALGORITHM = { ES256: 'sha256', ES384: 'sha384', RS256: 'sha256', PS256: 'sha256' } as const;

/** One signature whose payload both ends know (RFC 7515, appendix F: detached content). */
export interface DetachedJws {
  readonly algorithm: JwsAlgorithm;
  /** SHA-256 of the signer's certificate, hex: by the parameter x5t#S256, or of the first one of x5c. */
  readonly signer: { readonly thumbprint: string } | { readonly certificate: Uint8Array };
  /** Null: detached, as it should be. */
  readonly payload: Uint8Array | null;
  readonly signature: Uint8Array;
  /** What was signed, with `payload` put in its place. */
  signingInput(payload: Uint8Array): Uint8Array;
}

const MAX_LENGTH = 16 * 1024;
const PARAMETERS = new Set(['alg', 'typ', 'x5t#S256', 'x5c']);
const BASE64URL = /^[A-Za-z0-9_-]*$/;

const fromBase64url = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64url'));
const base64url = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64url');
const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The first half of making one: `input` is to be signed, `finish` takes the signature (ECDSA as r and s, IEEE P1363). */
export function beginDetachedJws(
  algorithm: JwsAlgorithm,
  thumbprint: string,
  payload: Uint8Array,
): { readonly input: Uint8Array; finish(signature: Uint8Array): string } {
  const protectedHeader = base64url(
    JSON.stringify({ alg: algorithm, 'x5t#S256': base64url(Buffer.from(thumbprint, 'hex')) }),
  );
  return {
    input: ascii(`${protectedHeader}.${base64url(payload)}`),
    finish: (signature) => `${protectedHeader}..${base64url(signature)}`,
  };
}

/** Reads what a stranger sent. Throws DomainError `proof-malformed` (unprocessable). */
export function parseDetachedJws(text: string): DetachedJws {
  if (text.length > MAX_LENGTH) throw malformed(`it has more than ${MAX_LENGTH} characters`);
  const [protectedHeader = '', payload = '', signature = '', ...more] = text.split('.');
  if (
    more.length > 0 ||
    signature === '' ||
    ![protectedHeader, payload, signature].every((one) => BASE64URL.test(one))
  ) {
    throw malformed('it is not the compact serialisation of a JWS (header..signature)');
  }
  const header = headerOf(protectedHeader);
  const algorithm = JWS_ALGORITHMS.find((one) => one === header.alg);
  if (algorithm === undefined) throw malformed(`alg is not one of ${JWS_ALGORITHMS.join(', ')}`);
  return {
    algorithm,
    signer: signerOf(header),
    payload: payload === '' ? null : fromBase64url(payload),
    signature: fromBase64url(signature),
    signingInput: (known) => ascii(`${protectedHeader}.${base64url(known)}`),
  };
}

function headerOf(text: string): Readonly<Record<string, unknown>> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(fromBase64url(text)));
  } catch {
    throw malformed('its header is not JSON');
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw malformed('its header is no object');
  // `crit`, `b64`, `jwk`, `jku`: what would change how it is read, or bring a key along, is refused and not overlooked.
  const unknown = Object.keys(header).find((name) => !PARAMETERS.has(name));
  if (unknown !== undefined) throw malformed('its header has a parameter other than alg, typ, x5t#S256 and x5c');
  return header as Readonly<Record<string, unknown>>;
}

function signerOf(header: Readonly<Record<string, unknown>>): DetachedJws['signer'] {
  const thumbprint = header['x5t#S256'];
  const chain = header.x5c;
  if (typeof thumbprint === 'string' && chain === undefined && /^[A-Za-z0-9_-]{43}$/.test(thumbprint)) {
    return { thumbprint: Buffer.from(thumbprint, 'base64url').toString('hex') };
  }
  const first = Array.isArray(chain) ? chain[0] : undefined;
  if (thumbprint === undefined && typeof first === 'string' && /^[A-Za-z0-9+/]+={0,2}$/.test(first)) {
    return { certificate: new Uint8Array(Buffer.from(first, 'base64')) };
  }
  throw malformed('its header names no certificate: either x5t#S256 or x5c');
}

function malformed(why: string): DomainError {
  const detail = `The proof is not such a JWS (RFC 7515) as is expected: ${why}.`;
  return new DomainError('unprocessable', 'proof-malformed', detail, { fields: [{ pointer: '/proof/jws', detail }] });
}
