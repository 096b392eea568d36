import { verify } from 'node:crypto';
import { DomainError } from '@cardwright/protocol';
import { CertificationRequest } from 'pkijs';
import { OID } from '../asn1/oids.ts';
import { type DerBounds, DerError, readDer } from '../asn1/reader.ts';
import { allowedKey } from './key-policy.ts';

/** A request with a 4096-bit key takes under 2 KiB. */
export const CSR_BOUNDS: DerBounds = { maxBytes: 16_384, maxDepth: 16, maxValues: 500 };

/** The hash of each signature algorithm that is taken; the key's type must fit (RFC 5758, RFC 8017). */
const SIGNATURES: Readonly<Record<string, { readonly keyType: 'ec' | 'rsa'; readonly hash: string }>> = {
  [OID.ecdsaWithSha256]: { keyType: 'ec', hash: 'sha256' },
  [OID.ecdsaWithSha384]: { keyType: 'ec', hash: 'sha384' },
  [OID.ecdsaWithSha512]: { keyType: 'ec', hash: 'sha512' },
  [OID.sha256WithRsa]: { keyType: 'rsa', hash: 'sha256' },
  [OID.sha384WithRsa]: { keyType: 'rsa', hash: 'sha384' },
  [OID.sha512WithRsa]: { keyType: 'rsa', hash: 'sha512' },
};

/**
 * Takes the key out of a PKCS #10 request (RFC 2986), when its holder proves to have the private half. Whatever else the
 * request asks for (names, extensions) is ignored: those come from the directory record.
 * @param der the request; judged for size, depth and form before any library sees it
 * @returns SubjectPublicKeyInfo, DER
 * @throws DomainError `csr-malformed`, `csr-key-not-allowed`, `csr-signature-invalid` (unprocessable)
 */
export function provenKey(der: Buffer): Buffer {
  const request = parse(der);
  const info = Buffer.from(request.subjectPublicKeyInfo.toSchema().toBER(false));
  const key = allowedKey(info);
  const algorithm = SIGNATURES[request.signatureAlgorithm.algorithmId];
  if (algorithm === undefined) {
    refuse('csr-signature-invalid', 'the request must be signed with ECDSA or RSA PKCS #1 v1.5 and SHA-256 or longer');
  }
  const { unusedBits, valueHexView } = request.signatureValue.valueBlock;
  const proven =
    key.asymmetricKeyType === algorithm.keyType &&
    unusedBits === 0 &&
    verify(algorithm.hash, request.tbsView, key, valueHexView);
  if (!proven) refuse('csr-signature-invalid', 'the request is not signed by the key that it asks a certificate for');
  return info;
}

function parse(der: Buffer): CertificationRequest {
  try {
    readDer(der, CSR_BOUNDS);
    // A copy in an ArrayBuffer of its own: small Buffers share one, and the library keeps views.
    const request = CertificationRequest.fromBER(new Uint8Array(der));
    if (request.version !== 0) refuse('csr-malformed', 'the version of a PKCS #10 request must be 0');
    return request;
  } catch (cause) {
    if (cause instanceof DomainError) throw cause;
    const problem = cause instanceof DerError ? cause.message : 'its parts are not those of RFC 2986';
    throw new DomainError('unprocessable', 'csr-malformed', `not a PKCS #10 request in DER: ${problem}`, { cause });
  }
}

function refuse(code: 'csr-malformed' | 'csr-signature-invalid', detail: string): never {
  throw new DomainError('unprocessable', code, detail);
}
