import 'reflect-metadata';
import { createPublicKey, type KeyObject, verify, webcrypto, X509Certificate } from 'node:crypto';
import { DomainError, type KeyType } from '@cardwright/protocol';
import { cryptoProvider, Pkcs10CertificateRequest } from '@peculiar/x509';
import { type PlainRequest, readPlainRequest } from './certification-request.ts';
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

/** AlgorithmIdentifiers of RFC 5758 section 3.2 and RFC 8017 appendix A.2.4, and the keys that go with them. */
const PLAIN_SIGNATURES: Readonly<Record<string, { readonly key: string; readonly hash: string }>> = {
  '300a06082a8648ce3d040302': { key: 'ec', hash: 'sha256' },
  '300a06082a8648ce3d040303': { key: 'ec', hash: 'sha384' },
  '300d06092a864886f70d01010b0500': { key: 'rsa', hash: 'sha256' },
};
/** Before the coordinates of an uncompressed point on P-256 and P-384 (RFC 5480): as OpenSSL writes them. */
const USUAL_FORMS = [
  Buffer.from('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 'hex'),
  Buffer.from('3076301006072a8648ce3d020106052b8104002203620004', 'hex'),
];
const isUsualForm = (info: Uint8Array): boolean =>
  USUAL_FORMS.some((form) => form.equals(info.subarray(0, form.length)));
const exported = (key: KeyObject): Uint8Array => key.export({ format: 'der', type: 'spki' });

const CURVES: Readonly<Record<string, string>> = { prime256v1: 'P-256', secp384r1: 'P-384' };

interface ReadRequest {
  readonly parts: PlainRequest;
  readonly key: KeyObject;
  readonly hash: string;
  readonly facts: KeyFacts;
}

/** What almost all devices send, read without a library: it takes a tenth of the time. Null: for the library to judge. */
function readRequest(csr: Uint8Array): ReadRequest | null {
  const parts = readPlainRequest(csr);
  const signature = parts === null ? undefined : PLAIN_SIGNATURES[Buffer.from(parts.algorithm).toString('hex')];
  if (parts === null || signature === undefined) return null;
  try {
    const key = createPublicKey({ key: Buffer.from(parts.publicKeyInfo), format: 'der', type: 'spki' });
    const { namedCurve = '', modulusLength } = key.asymmetricKeyDetails ?? {};
    const curve = CURVES[namedCurve];
    if (key.asymmetricKeyType !== signature.key || (signature.key === 'ec' && curve === undefined)) return null;
    const facts =
      curve !== undefined
        ? { name: 'ECDSA', namedCurve: curve }
        : { name: 'RSASSA-PKCS1-v1_5', modulusLength: modulusLength ?? 0 };
    return { parts, key, hash: signature.hash, facts };
  } catch {
    return null;
  }
}

export function createCertificateReader(): CertificateReader {
  /** A request is judged, and then its key is asked for: its bytes are read once, as long as somebody has them. */
  const known = new WeakMap<Uint8Array, ReadRequest | null>();
  const plain = (csr: Uint8Array): ReadRequest | null => {
    const read = known.get(csr) ?? readRequest(csr);
    known.set(csr, read);
    return read;
  };
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
      const read = plain(csr);
      if (read !== null) return isUsualForm(read.parts.publicKeyInfo) ? read.parts.publicKeyInfo : exported(read.key);
      const request = new Pkcs10CertificateRequest(Uint8Array.from(csr));
      const key = Buffer.from(request.publicKey.rawData);
      return exported(createPublicKey({ key, format: 'der', type: 'spki' }));
    },

    async judgeRequest(csr, keyType) {
      const read = plain(csr);
      if (read !== null) {
        demandFit(keyType, read.facts);
        if (verify(read.hash, read.parts.info, read.key, read.parts.signature)) return;
        throw notProven();
      }
      let request: Pkcs10CertificateRequest;
      let key: KeyFacts;
      try {
        request = new Pkcs10CertificateRequest(Uint8Array.from(csr));
        key = request.publicKey.algorithm as KeyFacts;
      } catch (cause) {
        throw refused('csr-malformed', 'The certification request is not DER of PKCS #10 (RFC 2986).', cause);
      }
      demandFit(keyType, key);
      // Proof that whoever asks holds the key (RFC 2986 section 3). A key that can't be imported verifies nothing.
      const proven = await request.verify().catch(() => false);
      if (!proven) throw notProven();
    },
  };
}

function demandFit(keyType: string, key: KeyFacts): void {
  if (Object.hasOwn(FITS, keyType) && FITS[keyType as KeyType](key)) return;
  throw refused('csr-key-not-allowed', `The card's profile asks for a key of type ${keyType} in this container.`);
}

const notProven = () =>
  refused('csr-signature-invalid', 'The signature of the certification request was not made with its key.');
