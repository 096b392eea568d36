import {
  ascii,
  explicit,
  generalString,
  implicit,
  objectIdentifier,
  sequence,
  tlv,
  unsignedInteger,
  utf8String,
} from '../asn1/der.ts';
import { OID } from '../asn1/oids.ts';
import { extension } from './extensions.ts';

/** What a certificate names. */
export interface SubjectAltName {
  /** `user@domain`, at most 256 characters. */
  readonly userPrincipalName?: string;
  /** `name@REALM`: ASCII, of one component, both in exact case. */
  readonly kerberosPrincipal?: string;
  /** ASCII, at most 254 characters. */
  readonly email?: string;
  readonly dnsNames?: readonly string[];
}

/** KRB_NT_PRINCIPAL, RFC 4120 6.2. */
const NT_PRINCIPAL = 1;

/** otherName [0] of GeneralName (RFC 5280 4.2.1.6): IMPLICIT SEQUENCE { type-id, value [0] EXPLICIT }. */
const otherName = (oid: string, value: Uint8Array): Buffer => explicit(0, objectIdentifier(oid), explicit(0, value));

/**
 * The Kerberos principal that a user principal name stands for: what is before the @, and what is after it in upper
 * case. Upper case is the convention of every KDC (RFC 4120 6.1 asks that domain-style realms be so), and KDCs compare
 * the realm byte by byte. A user in a realm written otherwise needs an explicit name.
 * @returns null when the name can't be written as a KerberosString, which RFC 4120 5.2.1 keeps to ASCII; the UPN
 * alone then maps the account.
 */
export function kerberosPrincipal(userPrincipalName: string): string | null {
  const at = userPrincipalName.indexOf('@');
  const principal = userPrincipalName.slice(0, at) + userPrincipalName.slice(at).toUpperCase();
  return /^[\x21-\x7e]+$/.test(principal) ? principal : null;
}

/** KRB5PrincipalName ::= SEQUENCE { realm [0] Realm, principalName [1] PrincipalName } (RFC 4556 3.2.2). */
function krb5PrincipalName(text: string): Buffer {
  const [name = '', realm = ''] = text.split('@');
  const principal = sequence(explicit(0, unsignedInteger(NT_PRINCIPAL)), explicit(1, sequence(generalString(name))));
  return sequence(explicit(0, generalString(realm)), explicit(1, principal));
}

/** In a fixed order; empty when there is nothing to say. */
export function generalNames(names: SubjectAltName): Buffer[] {
  const out: Buffer[] = [];
  if (names.userPrincipalName !== undefined) {
    out.push(otherName(OID.userPrincipalName, utf8String(names.userPrincipalName)));
  }
  if (names.kerberosPrincipal !== undefined) {
    out.push(otherName(OID.kerberosPrincipalName, krb5PrincipalName(names.kerberosPrincipal)));
  }
  if (names.email !== undefined) out.push(implicit(1, ascii(names.email)));
  for (const name of names.dnsNames ?? []) out.push(implicit(2, ascii(name)));
  return out;
}

/** @returns null when there is no name: an empty subjectAltName is forbidden (RFC 5280 4.2.1.6). */
export function subjectAltName(names: SubjectAltName): Buffer | null {
  const all = generalNames(names);
  return all.length === 0 ? null : extension(OID.subjectAltName, false, tlv(0x30, ...all));
}
