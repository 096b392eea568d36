import { execFileSync } from 'node:child_process';
import { createPublicKey, randomBytes, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IssuanceRequest } from '../../certificates/index.ts';

export interface OpensslCa {
  readonly folder: string;
  /** Paths: its certificate in PEM, its key. */
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly certificate: X509Certificate;
  /** A request (PKCS #10, DER) with a new key. */
  request(subject: string, options?: { key?: 'ec' | 'rsa'; extensions?: readonly string[] }): Uint8Array;
  /** A certificate for that key (SubjectPublicKeyInfo, DER), with whatever it is told to say. */
  issue(publicKeyInfo: Uint8Array, what: IssueOptions): Uint8Array;
  /** A certificate with the names of the request, as CAs behind EST give it. */
  sign(csr: Uint8Array, extensions: readonly string[], days?: number): Uint8Array;
  openssl(args: readonly string[], input?: string | Uint8Array): Buffer;
  remove(): void;
}

export interface IssueOptions {
  readonly subject: string;
  /** Lines of an extension section of openssl's configuration. */
  readonly extensions: readonly string[];
  readonly days?: number;
  readonly digest?: string;
}

/** A CA of openssl's, in a folder of its own. */
export function createOpensslCa(name = 'Test CA'): OpensslCa {
  const folder = mkdtempSync(join(tmpdir(), 'cardwright-ca-'));
  const openssl = (args: readonly string[], input: string | Uint8Array = '') =>
    execFileSync('openssl', [...args], { cwd: folder, input, stdio: 'pipe' });
  const newKey = { ec: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'], rsa: ['rsa:2048'] };
  const [certificateFile, keyFile] = [join(folder, 'ca.pem'), join(folder, 'ca.key')];
  openssl([
    ...['req', '-x509', '-newkey', ...newKey.ec, '-nodes', '-days', '3650', '-subj', `/CN=${name}`],
    ...['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
    ...['-keyout', keyFile, '-out', certificateFile],
  ]);
  return {
    ...{ folder, certificateFile, keyFile, openssl },
    certificate: new X509Certificate(readFileSync(certificateFile)),

    request(subject, { key = 'ec', extensions = [] } = {}) {
      const keyOut = join(folder, `${randomBytes(6).toString('hex')}.key`);
      const wanted = extensions.flatMap((one) => ['-addext', one]);
      const made = ['req', '-new', '-newkey', ...newKey[key], '-nodes', '-keyout', keyOut, '-subj', subject];
      return new Uint8Array(openssl([...made, ...wanted, '-outform', 'DER']));
    },

    issue(publicKeyInfo, { subject, extensions, days = 10, digest = 'sha256' }) {
      const id = randomBytes(6).toString('hex');
      const [keyIn, extensionFile] = [join(folder, `${id}.pub`), join(folder, `${id}.ext`)];
      const key = createPublicKey({ key: Buffer.from(publicKeyInfo), format: 'der', type: 'spki' });
      writeFileSync(keyIn, key.export({ format: 'pem', type: 'spki' }));
      writeFileSync(extensionFile, `${extensions.join('\n')}\n`);
      const serial = `0x7${randomBytes(15).toString('hex')}`;
      return new Uint8Array(
        openssl([
          ...['x509', '-new', '-force_pubkey', keyIn, '-subj', subject, '-set_serial', serial, '-days', String(days)],
          ...['-CA', certificateFile, '-CAkey', keyFile, `-${digest}`, '-extfile', extensionFile, '-outform', 'DER'],
        ]),
      );
    },

    sign(csr, extensions, days = 10) {
      const extensionFile = join(folder, `${randomBytes(6).toString('hex')}.ext`);
      writeFileSync(extensionFile, `${extensions.join('\n')}\n`);
      const serial = `0x7${randomBytes(15).toString('hex')}`;
      return new Uint8Array(
        openssl(
          [
            ...['x509', '-req', '-inform', 'DER', '-copy_extensions', 'copy', '-set_serial', serial, '-sha256'],
            ...['-days', String(days), '-CA', certificateFile, '-CAkey', keyFile],
            ...['-extfile', extensionFile, '-outform', 'DER'],
          ],
          csr,
        ),
      );
    },

    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** What a tls-client certificate of {@link orderOf} says. */
export const TLS_CLIENT = [
  'basicConstraints=critical,CA:FALSE',
  'keyUsage=critical,digitalSignature',
  'extendedKeyUsage=clientAuth',
  'subjectAltName=email:mary@corp.example',
];

/** An order for Mary Major, of ten days. */
export function orderOf(csr: Uint8Array, more: Partial<IssuanceRequest> = {}): IssuanceRequest {
  return {
    requestId: 'request-1',
    csr,
    renewal: false,
    profile: 'tls-client',
    subject: { commonName: 'Mary Major' },
    subjectAltName: { userPrincipalName: null, kerberosPrincipal: null, email: 'mary@corp.example', dnsNames: null },
    securityIdentifier: null,
    validitySeconds: 10 * 86_400,
    ...more,
  };
}
