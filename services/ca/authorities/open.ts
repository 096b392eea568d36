import { X509Certificate } from 'node:crypto';
import { DomainError, type Secret } from '@cardwright/protocol';
import type { RecordedAuthorities } from './authorities.pg.ts';
import { Authority, type AuthorityName, signWith } from './authority.ts';
import type { AuthorityFiles, KeysDirectory } from './keys.file.ts';
import { openKey } from './sealed-key.argon2.ts';

export interface OpeningPorts {
  readonly keys: Pick<KeysDirectory, 'path' | 'prepare' | 'read' | 'create' | 'isRecorded' | 'markRecorded'>;
  recorded(): Promise<RecordedAuthorities | null>;
  record(authorities: RecordedAuthorities): Promise<void>;
  make(): Promise<AuthorityFiles>;
}

export interface Authorities {
  readonly root: Authority;
  readonly issuing: Authority;
}

/**
 * Opens the root and the issuing CA, making them when there never were any. The order is files, database, marker; a
 * start that is killed between any two of them is completed by the next one, with the same keys:
 *
 * | files | database | marker |                                                                    |
 * |-------|----------|--------|--------------------------------------------------------------------|
 * | no    | no       | no     | first start: make                                                  |
 * | yes   | no       | no     | killed before the database knew: record                            |
 * | yes   | same     | any    | open                                                               |
 * | no    | yes      | any    | keys lost: refuse, for a second root would disown every certificate |
 * | any   | no       | yes    | database lost: refuse, for revocations would be forgotten            |
 * | yes   | another  | any    | of two installations: refuse                                       |
 *
 * The caller sees to it that only one process at a time does this.
 * @throws DomainError `authority-keys-missing`, `authority-not-in-database`, `authority-of-another-database`,
 * `authority-key-unreadable`, `file-mode-too-wide` (internal)
 */
export async function openAuthorities(ports: OpeningPorts, secret: Secret): Promise<Authorities> {
  const { keys } = ports;
  await keys.prepare();
  const known = await ports.recorded();
  let files = await keys.read();
  if (known === null && (await keys.isRecorded())) {
    throw broken(
      'authority-not-in-database',
      `${keys.path} has authorities that were in use, and the database does not know them: restore the database, or ` +
        'give an empty CA_KEYS_DIR to begin anew',
    );
  }
  if (files === null) {
    if (known !== null) {
      throw broken(
        'authority-keys-missing',
        `the database knows the root ${fingerprint(known.root)}, and its keys are not in ${keys.path}: restore them`,
      );
    }
    await keys.create(await ports.make());
    files = await keys.read();
    if (files === null) throw broken('authority-keys-missing', `${keys.path} lost the keys that were just written`);
  }
  const authorities = {
    root: await open('root', files, secret),
    issuing: await open('issuing', files, secret),
  };
  checkChain(authorities);
  const certificates = { root: authorities.root.certificate, issuing: authorities.issuing.certificate };
  if (known === null) await ports.record(certificates);
  else if (!known.root.equals(certificates.root) || !known.issuing.equals(certificates.issuing)) {
    throw broken(
      'authority-of-another-database',
      `${keys.path} has the root ${fingerprint(certificates.root)}, the database knows ${fingerprint(known.root)}: ` +
        'they are of two installations',
    );
  }
  if (!(await keys.isRecorded())) await keys.markRecorded();
  return authorities;
}

async function open(role: AuthorityName, files: AuthorityFiles, secret: Secret): Promise<Authority> {
  const certificate = files[`${role}.cer`];
  const key = await openKey(files[`${role}.key`].toString('utf8'), role, secret);
  if (!new X509Certificate(certificate).checkPrivateKey(key)) {
    throw broken('authority-key-unreadable', `${role}.key is not the key of ${role}.cer`);
  }
  return new Authority(role, certificate, signWith(key));
}

function checkChain({ root, issuing }: Authorities): void {
  const [rootCertificate, issuingCertificate] = [root, issuing].map(
    ({ certificate }) => new X509Certificate(certificate),
  );
  const signedBy = (subject?: X509Certificate) =>
    rootCertificate && subject?.verify(rootCertificate.publicKey) === true;
  if (!signedBy(rootCertificate) || !signedBy(issuingCertificate)) {
    throw broken('authority-key-unreadable', 'root.cer and issuing.cer are no chain: restore both from one backup');
  }
}

const fingerprint = (certificate: Uint8Array): string => new X509Certificate(certificate).fingerprint256;
const broken = (code: string, detail: string) => new DomainError('internal', code, detail);
