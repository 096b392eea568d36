import { DomainError } from '@cardwright/protocol';
import { sequence, TAG } from '../asn1/der.ts';
import { OID } from '../asn1/oids.ts';
import { type DerBounds, DerError, type DerValue, dottedOid, readDer } from '../asn1/reader.ts';

/** Room for the certificates that may come with a signed request, and no more. */
export const OCSP_BOUNDS: DerBounds = { maxBytes: 16_384, maxDepth: 24, maxValues: 1000 };
/** Each costs a row and bytes of the answer. */
const MAX_CERTIFICATES = 16;
/** RFC 9654 2.1: what is longer is refused. */
const MAX_NONCE_BYTES = 128;

export type CertIdHash = 'sha1' | 'sha256';

export interface CertId {
  /** The whole CertID, DER, to be said back. */
  readonly raw: Buffer;
  /** null: a hash that is not known here, hence an issuer that is not. */
  readonly hash: CertIdHash | null;
  readonly issuerNameHash: Buffer;
  readonly issuerKeyHash: Buffer;
  /** Content of the INTEGER. */
  readonly serialNumber: Buffer;
}

export interface OcspRequest {
  readonly certIds: readonly CertId[];
  /** extnValue of the nonce (a DER OCTET STRING), to be said back. */
  readonly nonce: Buffer | null;
  /** The one way of asking after one certificate and nothing else. */
  readonly plain: boolean;
}

/**
 * OCSPRequest of RFC 6960 4.1.1. Who asks (requestorName) and a signature of theirs are of no interest: everybody may.
 * @throws DomainError `ocsp-request-malformed` (invalid) when it is anything else, over a bound, or has a critical
 * extension that is not known.
 */
export function parseOcspRequest(der: Uint8Array): OcspRequest {
  try {
    return readRequest(readDer(der, OCSP_BOUNDS));
  } catch (cause) {
    if (!(cause instanceof DerError)) throw cause;
    throw new DomainError('invalid', 'ocsp-request-malformed', `no OCSPRequest: ${cause.message}`, { cause });
  }
}

function readRequest(request: DerValue): OcspRequest {
  const [body, signature, ...others] = expectSequence(request);
  if (body === undefined || others.length > 0 || (signature !== undefined && signature.tag !== 0xa0)) {
    throw new DerError('no OCSPRequest', 0);
  }
  let rest = expectSequence(body);
  rest = skip(rest, 0xa0, (version) => {
    const [number] = version.children;
    if (number?.tag !== TAG.integer || !number.content.equals(Buffer.of(0))) throw new DerError('not version 1', 0);
  });
  rest = skip(rest, 0xa1, () => undefined);
  const [list, extensions, ...tail] = rest;
  if (list === undefined || tail.length > 0) throw new DerError('no list of requests', 0);
  const items = expectSequence(list);
  if (items.length === 0 || items.length > MAX_CERTIFICATES) {
    throw new DerError(`not 1 to ${MAX_CERTIFICATES} certificates`, 0);
  }
  const certIds = items.map(readItem);
  const nonce = extensions === undefined ? null : readNonce(extensions, 0xa2);
  const [first] = certIds;
  const plain = certIds.length === 1 && first !== undefined && request.raw.equals(plainRequest(first.raw));
  return { certIds, nonce, plain };
}

/** Whatever may be left out is. */
const plainRequest = (certId: Buffer): Buffer => sequence(sequence(sequence(sequence(certId))));

function readItem(item: DerValue): CertId {
  const [certId, extensions, ...rest] = expectSequence(item);
  if (certId === undefined || rest.length > 0) throw new DerError('no Request', 0);
  if (extensions !== undefined) readNonce(extensions, 0xa0);
  const [algorithm, name, key, serial, ...more] = expectSequence(certId);
  const [oid, ...parameters] = algorithm === undefined ? [] : expectSequence(algorithm);
  const wellFormed = name?.tag === TAG.octetString && key?.tag === TAG.octetString && serial?.tag === TAG.integer;
  if (oid === undefined || !wellFormed || more.length > 0) throw new DerError('no CertID', 0);
  return {
    raw: certId.raw,
    hash: hashOf(dottedOid(oid), parameters),
    issuerNameHash: name.content,
    issuerKeyHash: key.content,
    serialNumber: serial.content,
  };
}

/** Parameters are NULL or left out (RFC 5754 2). Anything else there would be another CertID of the same certificate. */
function hashOf(oid: string, parameters: readonly DerValue[]): CertIdHash | null {
  if (parameters.length > 1 || (parameters[0] !== undefined && parameters[0].tag !== TAG.null)) return null;
  if (oid === OID.sha1) return 'sha1';
  return oid === OID.sha256 ? 'sha256' : null;
}

/** Extensions [tag] EXPLICIT. @returns the nonce's value, when there is one. */
function readNonce(wrapper: DerValue, tag: number): Buffer | null {
  const [list, ...rest] = wrapper.children;
  if (wrapper.tag !== tag || list === undefined || rest.length > 0) throw new DerError('no Extensions', 0);
  let nonce: Buffer | null = null;
  for (const item of expectSequence(list)) {
    const [oid, ...others] = expectSequence(item);
    const value = others.at(-1);
    const critical = others.length === 2 ? others[0] : undefined;
    const wellFormed = value?.tag === TAG.octetString && others.length <= 2;
    if (oid === undefined || !wellFormed || (critical !== undefined && critical.tag !== TAG.boolean)) {
      throw new DerError('no Extension', 0);
    }
    if (dottedOid(oid) === OID.ocspNonce) {
      if (nonce !== null) throw new DerError('two nonces', 0);
      const inner = readDer(value.content, OCSP_BOUNDS);
      const length = inner.content.length;
      if (inner.tag !== TAG.octetString || length < 1 || length > MAX_NONCE_BYTES) {
        throw new DerError(`a nonce is an OCTET STRING of 1 to ${MAX_NONCE_BYTES} bytes`, 0);
      }
      nonce = value.content;
    } else if (critical?.content[0] === 0xff) {
      throw new DerError('a critical extension that is not known', 0);
    }
  }
  return nonce;
}

function expectSequence(value: DerValue): readonly DerValue[] {
  if (value.tag !== TAG.sequence) throw new DerError('no SEQUENCE', 0);
  return value.children;
}

function skip(values: readonly DerValue[], tag: number, look: (value: DerValue) => void): readonly DerValue[] {
  const [first, ...rest] = values;
  if (first?.tag !== tag) return values;
  look(first);
  return rest;
}
