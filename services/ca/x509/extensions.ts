import {
  ascii,
  type Bytes,
  boolean,
  explicit,
  implicit,
  namedBits,
  nullValue,
  objectIdentifier,
  octetString,
  sequence,
  setOf,
  unsignedInteger,
  utf8String,
} from '../asn1/der.ts';
import { OID } from '../asn1/oids.ts';

/** KeyUsage bits of RFC 5280 4.2.1.3 that this CA sets. */
export const KEY_USAGE = {
  digitalSignature: 0,
  nonRepudiation: 1,
  keyEncipherment: 2,
  keyAgreement: 4,
  keyCertSign: 5,
  cRLSign: 6,
} as const;
export type KeyUsage = keyof typeof KEY_USAGE;

/** Where the world finds what the CA publishes. All absolute http(s) URLs. */
export interface PublishedAt {
  readonly caIssuers: string;
  readonly crl: string;
  /** null for what the root issued: the root has no OCSP responder. */
  readonly ocsp: string | null;
}

/** Extension ::= SEQUENCE { extnID, critical DEFAULT FALSE, extnValue } (RFC 5280 4.1). */
export function extension(oid: string, critical: boolean, value: Bytes): Buffer {
  const parts = critical ? [boolean(true)] : [];
  return sequence(objectIdentifier(oid), ...parts, octetString(value));
}

export function basicConstraints(ca: { readonly pathLength: number | null } | null): Buffer {
  const pathLength = ca?.pathLength ?? null;
  const value = sequence(
    ...(ca === null ? [] : [boolean(true)]),
    ...(pathLength === null ? [] : [unsignedInteger(pathLength)]),
  );
  return extension(OID.basicConstraints, true, value);
}

export const keyUsage = (usages: readonly KeyUsage[]): Buffer =>
  extension(OID.keyUsage, true, namedBits(usages.map((usage) => KEY_USAGE[usage])));

export const extendedKeyUsage = (oids: readonly string[]): Buffer =>
  extension(OID.extendedKeyUsage, false, sequence(...oids.map(objectIdentifier)));

export const subjectKeyIdentifier = (keyId: Bytes): Buffer =>
  extension(OID.subjectKeyIdentifier, false, octetString(keyId));

export const authorityKeyIdentifier = (keyId: Bytes): Buffer =>
  extension(OID.authorityKeyIdentifier, false, sequence(implicit(0, keyId)));

const uri = (url: string): Buffer => implicit(6, ascii(url));

export function authorityInformationAccess(at: PublishedAt): Buffer {
  const description = (method: string, url: string) => sequence(objectIdentifier(method), uri(url));
  const ocsp = at.ocsp === null ? [] : [description(OID.ocsp, at.ocsp)];
  return extension(OID.authorityInformationAccess, false, sequence(...ocsp, description(OID.caIssuers, at.caIssuers)));
}

/** One distribution point, by full name (RFC 5280 4.2.1.13). */
export const crlDistributionPoints = (at: PublishedAt): Buffer =>
  extension(OID.crlDistributionPoints, false, sequence(sequence(explicit(0, explicit(0, uri(at.crl))))));

/** RFC 6960 4.2.2.2.1: the responder's own certificate lives so briefly that nobody asks for its status. */
export const ocspNoCheck = (): Buffer => extension(OID.ocspNoCheck, false, nullValue());

/**
 * The account's SID for Windows' domain controllers ([MS-WCCE] 2.2.2.7.7.4): GeneralNames with one otherName, whose value
 * is an OCTET STRING of the SID's text.
 */
export function securityIdentifier(sid: string): Buffer {
  const name = explicit(0, objectIdentifier(OID.objectSecurityIdentifier), explicit(0, octetString(ascii(sid))));
  return extension(OID.securityIdentifier, false, sequence(name));
}

/** A Name: the organization where there is one, then the common name, each an RDN of its own and a UTF8String. */
export function distinguishedName(name: { readonly organization?: string; readonly commonName: string }): Buffer {
  const rdn = (type: string, value: string) => setOf(sequence(objectIdentifier(type), utf8String(value)));
  const organization = name.organization === undefined ? [] : [rdn(OID.organizationName, name.organization)];
  return sequence(...organization, rdn(OID.commonName, name.commonName));
}
export const commonNameOnly = (commonName: string): Buffer => distinguishedName({ commonName });
