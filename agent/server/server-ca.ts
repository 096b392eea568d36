import { createHash, X509Certificate } from 'node:crypto';

/** The CA that stands behind a server's certificate: what the agent pins. */
export interface ServerCa {
  /** DER. */
  readonly certificate: Uint8Array;
  readonly subject: string;
  /** SHA-256 of its SubjectPublicKeyInfo, hex. */
  readonly spkiSha256: string;
}

/** @param certificate DER. */
export function describeCa(certificate: Uint8Array): ServerCa {
  const { publicKey, subject } = new X509Certificate(certificate);
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const spkiSha256 = createHash('sha256').update(spki).digest('hex');
  return { certificate, subject: subject.split('\n').join(', '), spkiSha256 };
}
