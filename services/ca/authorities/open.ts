import { X509Certificate } from 'node:crypto';
import { DomainError, type Secret } from '@cardwright/protocol';
import type { RecordedAuthorities } from './authorities.pg.ts';
import { Authority, type AuthorityName, signWith } from './authority.ts';
import type { AuthorityFiles, KeysDirectory } from './keys.file.ts';
import { openKey } from './sealed-key.argon2.ts';
import type { Token, TokenKey, TokenPlace } from './token.ts';
import { signInToken } from './token-sign.ts';

export interface OpeningPorts {
  readonly keys: Pick<
    KeysDirectory,
    'path' | 'prepare' | 'read' | 'create' | 'replaceCertificate' | 'isRecorded' | 'markRecorded'
  >;
  recorded(): Promise<RecordedAuthorities | null>;
  record(authorities: RecordedAuthorities): Promise<void>;
  make(): Promise<AuthorityFiles>;
  /** null: none is configured. */
  readonly token: (Token & Pick<TokenPlace, 'label'>) | null;
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
 * The issuing CA may have got another certificate of the same key since (authorities/offline): the database's counts, and
 * the file is made right.
 *
 * The caller sees to it that only one process at a time does this.
 * @throws DomainError `authority-keys-missing`, `authority-not-in-database`, `authority-of-another-database`,
 * `authority-key-unreadable`, `token-not-configured`, `file-mode-too-wide` (internal), and those of the token
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
  if (known !== null && isSuccessor(files['issuing.cer'], known.issuing)) {
    await keys.replaceCertificate('issuing.cer', known.issuing);
    files = { ...files, 'issuing.cer': known.issuing };
  }
  const authorities = {
    root: await openRoot(files, secret),
    issuing: await openIssuing(files, secret, ports.token),
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

/** The root without its key when that was taken offline; else a key that is missing is one that was lost. */
async function openRoot(files: AuthorityFiles, secret: Secret): Promise<Authority> {
  const certificate = files['root.cer'];
  if (files['root.offline'] !== undefined) return new Authority('root', certificate, null);
  return new Authority('root', certificate, signWith(await keyOf('root', certificate, files['root.key'], secret)));
}

async function openIssuing(files: AuthorityFiles, secret: Secret, token: OpeningPorts['token']): Promise<Authority> {
  const certificate = files['issuing.cer'];
  const note = files['issuing.token'];
  if (note === undefined) {
    const key = await keyOf('issuing', certificate, files['issuing.key'], secret);
    return new Authority('issuing', certificate, signWith(key));
  }
  const { label, id } = tokenKey(note);
  if (token?.label !== label) {
    throw broken('token-not-configured', `the issuing key is in the token ${label}: set CA_PKCS11_* to reach it`);
  }
  const publicKey = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });
  const sign = signInToken(token, id, publicKey);
  // Signs once, and checks it: a token that is away or holds another key is found now, not at the first certificate.
  await sign(Buffer.from('the issuing CA opens its key'));
  return new Authority('issuing', certificate, sign);
}

async function keyOf(role: AuthorityName, certificate: Buffer, file: Buffer | undefined, secret: Secret) {
  if (file === undefined) {
    throw broken('authority-keys-missing', `${role}.key is not there: restore it from a backup`);
  }
  const key = await openKey(file.toString('utf8'), role, secret);
  if (!new X509Certificate(certificate).checkPrivateKey(key)) {
    throw broken('authority-key-unreadable', `${role}.key is not the key of ${role}.cer`);
  }
  return key;
}

function tokenKey(note: Buffer): TokenKey {
  try {
    const key = JSON.parse(note.toString('utf8')) as Partial<TokenKey>;
    const known = key.format === 'cardwright-token-key-1' && typeof key.label === 'string';
    if (known && typeof key.id === 'string' && /^([0-9a-f]{2}){1,32}$/.test(key.id)) return key as TokenKey;
  } catch {
    // Refused below, with what is wrong in either case.
  }
  throw broken('authority-key-unreadable', 'issuing.token is not of its form: restore it from a backup');
}

/** Another certificate for the same name and key. Whether the root signed it is for {@link checkChain}. */
function isSuccessor(file: Buffer, known: Buffer): boolean {
  if (file.equals(known)) return false;
  const [a, b] = [new X509Certificate(file), new X509Certificate(known)];
  return a.subject === b.subject && a.publicKey.equals(b.publicKey);
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
