import { X509Certificate } from 'node:crypto';
import { DomainError, type Secret } from '@cardwright/protocol';
import { Authority, signWith } from '../authority.ts';
import { openKey, sealKey } from '../sealed-key.argon2.ts';

const FORMAT = 'cardwright-offline-root-1';

interface RootCopy {
  readonly format: typeof FORMAT;
  /** DER, base64url. */
  readonly certificate: string;
  /** As {@link sealKey} gives it. */
  readonly key: string;
}

/** Bound to its certificate: another root's key under it does not open. */
const purpose = (certificate: X509Certificate) => `offline root ${certificate.fingerprint256}`;

/**
 * Seals the root's key anew, under a passphrase that the online CA does not have.
 * @param sealed root.key, and the secret it is sealed with
 * @returns the text of the file to be kept offline
 */
export async function makeRootCopy(
  certificate: Buffer,
  sealed: { readonly file: Buffer; readonly secret: Secret },
  passphrase: Secret,
): Promise<string> {
  const parsed = new X509Certificate(certificate);
  const key = await openKey(sealed.file.toString('utf8'), 'root', sealed.secret);
  const copy: RootCopy = {
    format: FORMAT,
    certificate: certificate.toString('base64url'),
    key: await sealKey(key, purpose(parsed), passphrase),
  };
  return `${JSON.stringify(copy, null, 2)}\n`;
}

/**
 * Opens such a file and checks that the key is the certificate's.
 * @throws DomainError `root-copy-unreadable`, `authority-key-unreadable` (internal)
 */
export async function openRootCopy(text: string, passphrase: Secret): Promise<Authority> {
  const { certificate, key } = parse(text);
  const parsed = new X509Certificate(certificate);
  const opened = await openKey(key, purpose(parsed), passphrase);
  if (!parsed.checkPrivateKey(opened)) throw unreadable('its key is not that of its certificate');
  return new Authority('root', certificate, signWith(opened));
}

function parse(text: string): { certificate: Buffer; key: string } {
  try {
    const { format, certificate, key } = JSON.parse(text) as Partial<RootCopy>;
    if (format !== FORMAT || typeof certificate !== 'string' || typeof key !== 'string') throw new Error('fields');
    const der = Buffer.from(certificate, 'base64url');
    new X509Certificate(der);
    return { certificate: der, key };
  } catch {
    throw unreadable(`it is not of the form ${FORMAT}`);
  }
}

const unreadable = (detail: string) =>
  new DomainError('internal', 'root-copy-unreadable', `the copy of the root can't be used: ${detail}`);
