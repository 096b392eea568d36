import { type Bytes, bitString, explicit, objectIdentifier, sequence, time, unsignedInteger } from '../asn1/der.ts';
import { OID } from '../asn1/oids.ts';

/** ecdsa-with-SHA256, without parameters (RFC 5758 3.2): how the P-256 key of the OCSP responder signs. */
export const SIGNATURE_ALGORITHM = sequence(objectIdentifier(OID.ecdsaWithSha256));

export interface CertificateFields {
  /** 16 bytes, the first not zero. */
  readonly serialNumber: Bytes;
  /** AlgorithmIdentifier of the issuer's signature, DER. */
  readonly signatureAlgorithm: Bytes;
  /** Name, DER. */
  readonly issuer: Bytes;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Name, DER. */
  readonly subject: Bytes;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Bytes;
  readonly extensions: readonly Bytes[];
}

/** TBSCertificate, version 3 (RFC 5280 4.1). Nothing is checked here: that is the lint's part. */
export function certificateBody(fields: CertificateFields): Buffer {
  return sequence(
    explicit(0, unsignedInteger(2)),
    unsignedInteger(fields.serialNumber),
    fields.signatureAlgorithm,
    fields.issuer,
    sequence(time(fields.notBefore), time(fields.notAfter)),
    fields.subject,
    fields.publicKey,
    explicit(3, sequence(...fields.extensions)),
  );
}

/** The outer SEQUENCE that certificates, CRLs and CSRs share: what was signed, how, and the signature. */
export const signed = (body: Bytes, algorithm: Bytes, signature: Bytes): Buffer =>
  sequence(body, algorithm, bitString(signature));
