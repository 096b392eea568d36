import { createHash, createPublicKey, type KeyObject, sign, X509Certificate } from 'node:crypto';
import { promisify } from 'node:util';
import { DomainError } from '@cardwright/protocol';
import { readDer } from '../asn1/reader.ts';
import type { Issuer } from '../issuance/intent.ts';
import type { LintedCertificate } from '../issuance/lint.ts';
import type { CrlBody } from '../revocation/crl.ts';
import { signed } from '../x509/certificate.ts';
import { CERTIFICATE_BOUNDS, keyBits, keyIdentifier } from '../x509/public-key.ts';
import { signatureScheme } from '../x509/signature-scheme.ts';

export type AuthorityName = 'root' | 'issuing';

/** What can sign: a key in memory or in a token. As the key's {@link signatureScheme} says; ECDSA signatures in DER. */
export type Sign = (bytes: Uint8Array) => Promise<Buffer>;

const signInThread = promisify(
  (hash: string, key: KeyObject, bytes: Uint8Array, done: (error: Error | null, signature: Buffer) => void) =>
    sign(hash, bytes, { key, dsaEncoding: 'der' }, done),
);

/** @param key private: RSA, P-256 or P-384. */
export function signWith(key: KeyObject): Sign {
  const { hash } = signatureScheme(createPublicKey(key).export({ type: 'spki', format: 'der' }));
  // With P-256 the way to the thread pool and back takes longer than the signature.
  if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') {
    return async (bytes) => sign(hash, bytes, { key, dsaEncoding: 'der' });
  }
  return (bytes) => signInThread(hash, key, bytes);
}

/**
 * A certification authority that can sign. It takes linted certificates and built CRLs, and never plain bytes: who
 * holds one can't have just anything signed.
 */
export class Authority implements Issuer {
  readonly role: AuthorityName;
  /** Certificate, DER. */
  readonly certificate: Buffer;
  /** Subject, DER. */
  readonly name: Buffer;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Buffer;
  readonly keyIdentifier: Buffer;
  readonly signatureAlgorithm: Buffer;
  readonly notAfter: Date;
  readonly #sign: Sign | null;

  /**
   * @param sign null: its key is not here
   * @throws when `certificate` can't be read. Whether `sign` has its key is for the caller to know.
   */
  constructor(role: AuthorityName, certificate: Uint8Array, sign: Sign | null) {
    const parsed = new X509Certificate(certificate);
    const name = readDer(certificate, CERTIFICATE_BOUNDS).children[0]?.children[5]?.raw;
    if (name === undefined) throw new RangeError('no certificate of version 3');
    this.role = role;
    this.certificate = Buffer.from(certificate);
    this.name = Buffer.from(name);
    this.publicKey = parsed.publicKey.export({ type: 'spki', format: 'der' });
    this.keyIdentifier = keyIdentifier(keyBits(this.publicKey));
    this.signatureAlgorithm = signatureScheme(this.publicKey).algorithm;
    this.notAfter = new Date(parsed.validTo);
    this.#sign = sign;
  }

  /** As RFC 4514 would show it; ours have one common name. */
  get subject(): string {
    return new X509Certificate(this.certificate).subject;
  }

  get sha256(): Buffer {
    return createHash('sha256').update(this.certificate).digest();
  }

  /** False: its key was taken offline, and what it publishes is made elsewhere and imported. */
  get online(): boolean {
    return this.#sign !== null;
  }

  /** @returns the certificate, DER. @throws DomainError `authority-offline` (conflict) */
  async certify(linted: LintedCertificate): Promise<Buffer> {
    return certify(linted, this.signatureAlgorithm, this.#key());
  }

  /** @returns the CRL, DER. @throws DomainError `authority-offline` (conflict) */
  async signCrl(crl: CrlBody): Promise<Buffer> {
    return crl.sign(this.#key());
  }

  #key(): Sign {
    if (this.#sign !== null) return this.#sign;
    const detail = `the key of ${this.subject} is offline: sign with it where it is, and import what it signed`;
    throw new DomainError('conflict', 'authority-offline', detail);
  }
}

/** For the one certificate that is signed before there is an authority: the root's own. */
export async function certify(linted: LintedCertificate, algorithm: Uint8Array, sign: Sign): Promise<Buffer> {
  const body = linted.take();
  return signed(body, algorithm, await sign(body));
}
