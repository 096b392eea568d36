import 'reflect-metadata';
import { constants, verify, X509Certificate } from 'node:crypto';
import { KeyUsageFlags, KeyUsagesExtension, X509Certificate as ParsedCertificate } from '@peculiar/x509';

/** What a signature is of, as far as it is not in the certificate. */
export interface SignatureForm {
  readonly hash: 'sha256' | 'sha384' | 'sha512';
  /** `ecdsa`: DER; `ecdsa-raw`: r and s (IEEE P1363). The RSA ones as RFC 8017 has them, PSS with a salt of the hash's length. */
  readonly scheme: 'ecdsa' | 'ecdsa-raw' | 'rsa-pkcs1' | 'rsa-pss';
  /** Of the elliptic curve, where the algorithm says which; as OpenSSL names it. */
  readonly curve?: 'prime256v1' | 'secp384r1' | undefined;
}

const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST } as const;

/** Whether the key of a certificate of our own records made a stranger's signature, in just that form. Never throws. */
export function verifySignature(
  der: Uint8Array,
  statement: Uint8Array,
  signature: Uint8Array,
  { hash, scheme, curve }: SignatureForm,
): boolean {
  try {
    const key = new X509Certificate(der).publicKey;
    const isEc = scheme === 'ecdsa' || scheme === 'ecdsa-raw';
    if (key.asymmetricKeyType !== (isEc ? 'ec' : 'rsa')) return false;
    if (curve !== undefined && key.asymmetricKeyDetails?.namedCurve !== curve) return false;
    const dsaEncoding = scheme === 'ecdsa' ? 'der' : 'ieee-p1363';
    const form = isEc ? ({ dsaEncoding } as const) : scheme === 'rsa-pss' ? PSS : {};
    return verify(hash, statement, { key, ...form }, signature);
  } catch {
    return false;
  }
}

/** With SHA-256: ECDSA in DER, or RSA PKCS #1 v1.5. */
export const signedBy = (der: Uint8Array, statement: Uint8Array, signature: Uint8Array): boolean =>
  (['ecdsa', 'rsa-pkcs1'] as const).some((scheme) =>
    verifySignature(der, statement, signature, { hash: 'sha256', scheme }),
  );

/** Whether a certificate of our own records lets its key sign (RFC 5280, section 4.2.1.3). */
export function maySign(der: Uint8Array): boolean {
  const usages = new ParsedCertificate(Uint8Array.from(der)).getExtension(KeyUsagesExtension)?.usages;
  return usages === undefined || (usages & KeyUsageFlags.digitalSignature) !== 0;
}

/** What came along with a signature, by which the record is found; null for what is no certificate. */
export function describeCertificate(
  der: Uint8Array,
): { readonly thumbprint: string; readonly serialNumber: string } | null {
  try {
    const certificate = new X509Certificate(der);
    return {
      thumbprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
      serialNumber: certificate.serialNumber.toLowerCase().replace(/^(00)+(?=..)/, ''),
    };
  } catch {
    return null;
  }
}
