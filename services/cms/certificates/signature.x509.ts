import { verify, X509Certificate } from 'node:crypto';

/** Certificates of our own CA, from our own records; the signature is a stranger's. ECDSA in DER, or RSA PKCS #1 v1.5. */
export function signedBy(der: Uint8Array, statement: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verify('sha256', statement, new X509Certificate(der).publicKey, signature);
  } catch {
    return false;
  }
}
