import { createPublicKey, type KeyObject, sign } from 'node:crypto';
import {
  bitString,
  explicit,
  objectIdentifier,
  octetString,
  sequence,
  setOf,
  tlv,
  unsignedInteger,
} from '../asn1/der.ts';
import { OID } from '../asn1/oids.ts';
import { commonNameOnly } from '../x509/extensions.ts';
import { signatureScheme } from '../x509/signature-scheme.ts';

export interface RequestParts {
  readonly version?: Buffer;
  /** Name, DER. */
  readonly subject?: Buffer;
  readonly publicKey?: Buffer;
  /** Attributes, each whole; null: the part is left out. */
  readonly attributes?: readonly Buffer[] | null;
}

/** CertificationRequestInfo (RFC 2986 4.1), as good or as bad as its parts. */
export function requestInfo(key: KeyObject, parts: RequestParts = {}): Buffer {
  const { attributes = [] } = parts;
  return sequence(
    parts.version ?? unsignedInteger(0),
    parts.subject ?? commonNameOnly('of no interest'),
    parts.publicKey ?? createPublicKey(key).export({ type: 'spki', format: 'der' }),
    ...(attributes === null ? [] : [attributes.length === 0 ? tlv(0xa0) : explicit(0, ...attributes)]),
  );
}

/** The request that has `info` in it, signed by `key`: whatever is in `info`, the signature is good. */
export function signedRequest(key: KeyObject, info: Uint8Array): Buffer {
  const { hash, algorithm } = signatureScheme(createPublicKey(key).export({ type: 'spki', format: 'der' }));
  return sequence(info, algorithm, bitString(sign(hash, info, { key, dsaEncoding: 'der' })));
}

export const attribute = (oid: string, ...values: readonly Buffer[]): Buffer =>
  sequence(objectIdentifier(oid), setOf(...values));

/** @param oids of the extensions asked for, each with a value that says nothing */
export const extensionRequest = (...oids: readonly string[]): Buffer =>
  attribute(
    OID.extensionRequest,
    sequence(...oids.map((oid) => sequence(objectIdentifier(oid), octetString(sequence())))),
  );
