import 'reflect-metadata';
import { createPublicKey, webcrypto, X509Certificate } from 'node:crypto';
import { DomainError, type KeyType } from '@cardwright/protocol';
import { cryptoProvider, Pkcs10CertificateRequest } from '@peculiar/x509';
import type { CertificateReader } from './ports.ts';

cryptoProvider.set(webcrypto);

const refused = (code: string, detail: string, cause?: unknown) =>
  new DomainError('unprocessable', code, detail, cause === undefined ? {} : { cause });

/** The key types of card profiles. */
const FITS: Readonly<Record<KeyType, (algorithm: KeyFacts) => boolean>> = {
  'ec-p256': (key) => key.name === 'ECDSA' && key.namedCurve === 'P-256',
  'ec-p384': (key) => key.name === 'ECDSA' && key.namedCurve === 'P-384',
  'rsa-2048': (key) => key.name.startsWith('RSA') && key.modulusLength === 2048,
  'rsa-3072': (key) => key.name.startsWith('RSA') && key.modulusLength === 3072,
};
interface KeyFacts {
  readonly name: string;
  readonly namedCurve?: string;
  readonly modulusLength?: number;
}

export function createCertificateReader(): CertificateReader {
  return {
    describe(der) {
      const certificate = new X509Certificate(der);
      return {
        serialNumber: certificate.serialNumber.toLowerCase().replace(/^(00)+(?=..)/, ''),
        thumbprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
        subject: certificate.subject.replaceAll('\n', ', '),
        issuer: certificate.issuer.replaceAll('\n', ', '),
        notBefore: new Date(certificate.validFrom),
        notAfter: new Date(certificate.validTo),
        der,
      };
    },

    publicKeyOf(csr) {
      const request = new Pkcs10CertificateRequest(Uint8Array.from(csr));
      const key = Buffer.from(request.publicKey.rawData);
      return createPublicKey({ key, format: 'der', type: 'spki' }).export({ format: 'der', type: 'spki' });
    },

    async judgeRequest(csr, keyType) {
      let request: Pkcs10CertificateRequest;
      let key: KeyFacts;
      try {
        request = new Pkcs10CertificateRequest(Uint8Array.from(csr));
        key = request.publicKey.algorithm as KeyFacts;
      } catch (cause) {
        throw refused('csr-malformed', 'The certification request is not DER of PKCS #10 (RFC 2986).', cause);
      }
      if (!Object.hasOwn(FITS, keyType) || !FITS[keyType as KeyType](key)) {
        throw refused('csr-key-not-allowed', `The card's profile asks for a key of type ${keyType} in this container.`);
      }
      // Proof that whoever asks holds the key (RFC 2986 section 3). A key that can't be imported verifies nothing.
      const proven = await request.verify().catch(() => false);
      if (!proven) {
        throw refused('csr-signature-invalid', 'The signature of the certification request was not made with its key.');
      }
    },
  };
}
