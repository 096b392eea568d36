import {
  enumerated,
  generalizedTime,
  objectIdentifier,
  octetString,
  sequence,
  time,
  unsignedInteger,
} from '../asn1/der.ts';
import { OID } from '../asn1/oids.ts';
import { REASON_CODES, REMOVE_FROM_CRL, type RevocationReason } from './reasons.ts';

/** What a CRL says of one certificate. Times count in whole seconds. */
export interface CrlEntry {
  readonly serialNumber: Uint8Array;
  readonly at: Date;
  /** null: removeFromCRL, for deltas alone. */
  readonly reason: RevocationReason | null;
  readonly invalidityDate: Date | null;
}

/**
 * An entry of revokedCertificates (RFC 5280 5.1), DER. It is made when the status changes and kept: CRLs are then copied
 * together and not written.
 */
export function crlEntry({ serialNumber, at, reason, invalidityDate }: CrlEntry): Buffer {
  const extensions = [
    // `unspecified` should be absent (5.3.1).
    ...(reason === 'unspecified' ? [] : [entryExtension(OID.reasonCode, enumerated(codeOf(reason)))]),
    // Always GeneralizedTime (5.3.2).
    ...(invalidityDate === null ? [] : [entryExtension(OID.invalidityDate, generalizedTime(invalidityDate))]),
  ];
  return sequence(
    unsignedInteger(serialNumber),
    time(at),
    ...(extensions.length === 0 ? [] : [sequence(...extensions)]),
  );
}

const codeOf = (reason: RevocationReason | null): number => (reason === null ? REMOVE_FROM_CRL : REASON_CODES[reason]);

/** Neither is critical. */
const entryExtension = (oid: string, value: Uint8Array): Buffer => sequence(objectIdentifier(oid), octetString(value));
