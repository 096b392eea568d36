import { DomainError, isDomainError } from '@cardwright/protocol';
import { parseCertificate } from '@cardwright/protocol/attestation';
import { createCertificateReader } from '../../certificates/reader.x509.ts';
import { certificatesFrom, judgeAnswer, namesOf, usesOf } from '../judge-answer.ts';
import { certificatesInPem } from '../pem.ts';
import { certificatesInPkcs7 } from '../pkcs7.ts';
import { askedBeyondKey } from '../request-names.ts';
import { parseConnectors } from '../settings.ts';
import { createOpensslCa, orderOf, TLS_CLIENT } from './openssl-ca.ts';

type Bytes = Uint8Array;
export interface FuzzedParser {
  readonly parse: (input: Bytes) => unknown;
  readonly samples: readonly Bytes[];
}

/** The codes for a bad answer are of the kind `internal`, as our defects are. The fuzzer has to tell them apart. */
function refusing(parse: (input: Bytes) => unknown): (input: Bytes) => unknown {
  return (input) => {
    try {
      return parse(input);
    } catch (error) {
      if (!isDomainError(error) || !error.code.startsWith('ca-answer-')) throw error;
      throw new DomainError('unprocessable', error.code, error.detail);
    }
  };
}

/** What reads a CA's answers, and a device's request for them. Its samples are openssl's. */
export function connectorParsers(): Readonly<Record<string, FuzzedParser>> {
  const ca = createOpensslCa();
  try {
    const reader = createCertificateReader();
    const csr = ca.request('/CN=Mary Major', { extensions: ['subjectAltName=email:mary@corp.example'] });
    const key = reader.publicKeyOf(csr);
    const plain = ca.issue(key, { subject: '/CN=Mary Major', extensions: TLS_CLIENT });
    const certificate = ca.issue(key, {
      subject: '/C=SE/O=Corp/CN=Mary Major',
      extensions: [
        ...TLS_CLIENT.slice(0, 3),
        'subjectAltName=email:mary@corp.example,otherName:1.3.6.1.4.1.311.20.2.3;UTF8:mary@corp.example,DNS:a.example',
      ],
    });
    const pinned = [parseCertificate(new Uint8Array(ca.certificate.raw))] as const;
    const pem = ca.openssl(['x509', '-inform', 'DER'], certificate);
    const pkcs7 = ca.openssl(['crl2pkcs7', '-nocrl', '-certfile', ca.certificateFile, '-outform', 'DER']);
    const [order, now] = [orderOf(csr), new Date()];
    return {
      'certificates in PEM': {
        parse: refusing((input) => certificatesInPem(Buffer.from(input).toString('latin1'))),
        samples: [new Uint8Array(pem)],
      },
      'certificates in PKCS #7': {
        parse: refusing(certificatesInPkcs7),
        samples: [new Uint8Array(pkcs7), indefinite(certificate)],
      },
      'names and uses of a certificate': {
        parse: refusing((input) => {
          const parsed = parseCertificate(input);
          return [namesOf(parsed), usesOf(parsed)];
        }),
        samples: [certificate],
      },
      'answer of a CA': {
        parse: refusing((input) => {
          for (const one of certificatesFrom([input], pinned)) judgeAnswer(one, order, key, pinned, now);
        }),
        samples: [plain],
      },
      'names of a request': { parse: askedBeyondKey, samples: [csr] },
      'connectors file': {
        parse: (input) => {
          try {
            return parseConnectors(Buffer.from(input).toString('utf8'));
          } catch (error) {
            if (!(error instanceof Error) || !error.message.startsWith('The connectors are not')) throw error;
            throw new DomainError('invalid', 'configuration-invalid', error.message);
          }
        },
        samples: [new Uint8Array(Buffer.from(SETTINGS))],
      },
    };
  } finally {
    ca.remove();
  }
}

const SETTINGS = JSON.stringify({
  connectors: [
    { kind: 'cfssl', name: 'one', url: 'http://127.0.0.1:8888', issuers: '/a.pem', profiles: { 'tls-client': 'x' } },
    {
      ...{ kind: 'script', name: 'two', issue: ['/bin/true', 'x'], names: ['email'], revoke: ['/bin/true'] },
      ...{ issuers: '/a.pem', profiles: { device: 'y' } },
    },
  ],
});

/** A certs-only message in the form of Bouncy Castle: indefinite lengths down to the certificates. */
export function indefinite(...certificates: readonly Uint8Array[]): Uint8Array {
  const open = (tag: number, ...parts: Uint8Array[]) =>
    Buffer.concat([Buffer.from([tag, 0x80]), ...parts, Buffer.alloc(2)]);
  const oid = (last: number) => Buffer.from([0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, last]);
  const signedData = open(
    0x30,
    Buffer.from([0x02, 0x01, 0x01, 0x31, 0x00]),
    open(0x30, oid(1)),
    open(0xa0, ...certificates),
    Buffer.from([0x31, 0x00]),
  );
  return new Uint8Array(open(0x30, oid(2), open(0xa0, signedData)));
}
