import {
  type Bytes,
  bitString,
  enumerated,
  explicit,
  generalizedTime,
  implicit,
  objectIdentifier,
  octetString,
  sequence,
  tlv,
} from '../asn1/der.ts';
import { OID } from '../asn1/oids.ts';
import { REASON_CODES, type RevocationReason } from '../revocation/reasons.ts';
import { SIGNATURE_ALGORITHM } from '../x509/certificate.ts';
import { extension } from '../x509/extensions.ts';

export type CertificateStatus =
  | { readonly status: 'good' }
  | { readonly status: 'revoked'; readonly revokedAt: Date; readonly reason: RevocationReason }
  | { readonly status: 'unknown' };

export interface SingleResponse {
  /** CertID as it was asked, DER. */
  readonly certId: Bytes;
  readonly status: CertificateStatus;
}

export interface ResponseFields {
  /** SHA-1 of the responder's key bits: byKey of RFC 6960 4.2.1, where SHA-1 is fixed and names rather than protects. */
  readonly responderKeyHash: Bytes;
  readonly producedAt: Date;
  readonly nextUpdate: Date;
  readonly responses: readonly SingleResponse[];
  readonly nonce: Bytes | null;
}

/** ResponseData (RFC 6960 4.2.1): what is signed. */
export function responseData(fields: ResponseFields): Buffer {
  const thisUpdate = generalizedTime(fields.producedAt);
  const nextUpdate = explicit(0, generalizedTime(fields.nextUpdate));
  const singles = fields.responses.map(({ certId, status }) =>
    sequence(certId, certStatus(status), thisUpdate, nextUpdate),
  );
  const extensions =
    fields.nonce === null ? [] : [explicit(1, sequence(extension(OID.ocspNonce, false, fields.nonce)))];
  return sequence(
    explicit(2, octetString(fields.responderKeyHash)),
    generalizedTime(fields.producedAt),
    sequence(...singles),
    ...extensions,
  );
}

function certStatus(status: CertificateStatus): Buffer {
  if (status.status === 'good') return implicit(0, Buffer.alloc(0));
  if (status.status === 'unknown') return implicit(2, Buffer.alloc(0));
  // `unspecified` is left out, as in a CRL.
  const code = REASON_CODES[status.reason];
  const reason = code === 0 ? [] : [explicit(0, enumerated(code))];
  return tlv(0xa1, generalizedTime(status.revokedAt), ...reason);
}

/** OCSPResponse: successful, with a BasicOCSPResponse and the responder's certificate. */
export function successfulResponse(data: Bytes, signature: Bytes, responderCertificate: Bytes): Buffer {
  const basic = sequence(data, SIGNATURE_ALGORITHM, bitString(signature), explicit(0, sequence(responderCertificate)));
  return sequence(enumerated(0), explicit(0, sequence(objectIdentifier(OID.ocspBasic), octetString(basic))));
}

const FAILURES = { malformedRequest: 1, internalError: 2, tryLater: 3 } as const;

/** OCSPResponse without an answer (RFC 6960 2.3); these are not signed. */
export const failedResponse = (failure: keyof typeof FAILURES): Buffer => sequence(enumerated(FAILURES[failure]));
