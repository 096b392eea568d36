import { createHash } from 'node:crypto';
import { DomainError } from '@cardwright/protocol';
import { bitString, NULL, objectIdentifier, SEQUENCE, SET, tlv, unsignedInteger, utf8String } from './der.ts';
import type { Bytes, KeyType } from './port.ts';

const COMMON_NAME = objectIdentifier('2.5.4.3');
/** RFC 5758 section 3.2: no parameters. RFC 4055 section 5: parameters NULL. */
const SIGNATURE_ALGORITHM: Record<KeyType, Bytes> = {
  'ec-p256': tlv(SEQUENCE, objectIdentifier('1.2.840.10045.4.3.2')),
  'rsa-2048': tlv(SEQUENCE, objectIdentifier('1.2.840.113549.1.1.11'), NULL),
};

export interface CertificateRequest {
  /** 1 to 64 characters (ub-common-name, RFC 5280). The CA decides on the subject; this only says what the request is for. */
  readonly commonName: string;
  /** SubjectPublicKeyInfo, DER */
  readonly publicKey: Bytes;
  readonly keyType: KeyType;
  /** Signs a SHA-256 digest with that key: ECDSA as DER SEQUENCE of r and s, or RSASSA-PKCS1-v1_5. */
  readonly sign: (digest: Bytes) => Promise<Bytes>;
}

/** A PKCS #10 request (RFC 2986), DER, without attributes. Throws `common-name-invalid`, and what `sign` throws. */
export async function buildCertificateRequest(request: CertificateRequest): Promise<Bytes> {
  const { commonName } = request;
  if (commonName.length === 0 || [...commonName].length > 64) {
    throw new DomainError(
      'invalid',
      'common-name-invalid',
      'The name in a certificate request has 1 to 64 characters.',
    );
  }
  const name = tlv(SEQUENCE, tlv(SET, tlv(SEQUENCE, COMMON_NAME, utf8String(commonName))));
  const version = unsignedInteger(Uint8Array.of(0));
  const noAttributes = tlv(0xa0); // [0] IMPLICIT SET OF, empty but not left out
  const info = tlv(SEQUENCE, version, name, request.publicKey, noAttributes);
  const signature = await request.sign(new Uint8Array(createHash('sha256').update(info).digest()));
  return tlv(SEQUENCE, info, SIGNATURE_ALGORITHM[request.keyType], bitString(signature));
}
