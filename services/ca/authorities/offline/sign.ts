import { X509Certificate } from 'node:crypto';
import { DomainError } from '@cardwright/protocol';
import { enumerated, sequence, time, unsignedInteger } from '../../asn1/der.ts';
import { OID } from '../../asn1/oids.ts';
import { buildCertificate, type CertificateOrder } from '../../issuance/build.ts';
import { BACKDATED_SECONDS } from '../../issuance/issue.ts';
import { lintCertificate } from '../../issuance/lint.ts';
import { ISSUING } from '../../issuance/profiles.ts';
import { CrlWriter } from '../../revocation/crl.ts';
import { readCertificateList } from '../../x509/certificate-list.ts';
import { extension } from '../../x509/extensions.ts';
import { newSerialNumber } from '../../x509/serial-number.ts';
import type { Authority } from '../authority.ts';
import type { RootRequest } from './root-request.ts';

const DAY_MS = 86_400_000;

export interface Signing {
  readonly root: Authority;
  readonly request: RootRequest;
  readonly days: number;
  readonly now: Date;
}

/**
 * The root's next CRL: what the last one listed, and `added` besides.
 * @param added whole entries, DER
 * @returns CertificateList, DER
 * @throws DomainError `root-differs` (conflict), DerError
 */
export async function signRootCrl({ root, request, days, now }: Signing, added: readonly Buffer[]): Promise<Buffer> {
  checkRoot(root, request);
  const before = readCertificateList(request.crl);
  const entries = [...before.entries.map(({ raw }) => raw), ...added];
  const thisUpdate = wholeSeconds(now);
  const writer = new CrlWriter({
    issuer: root,
    number: before.number + 1n,
    thisUpdate,
    nextUpdate: new Date(Math.min(thisUpdate.getTime() + days * DAY_MS, root.notAfter.getTime())),
    distributionPoint: null,
    kind: { full: true, freshest: null },
    entryCount: entries.length,
    entryBytes: entries.reduce((sum, { length }) => sum + length, 0),
  });
  writer.write(Buffer.concat(entries));
  return root.signCrl(writer.end());
}

/**
 * Another certificate for the issuing CA: the same name and key, a new serial number and term. Certificates that it has
 * issued go on being good, for they name its key and its name.
 * @returns Certificate, DER
 * @throws DomainError `root-differs` (conflict)
 */
export async function signIssuing(
  { root, request, days, now }: Signing,
  random: (bytes: number) => Buffer,
): Promise<Buffer> {
  checkRoot(root, request);
  const current = new X509Certificate(request.issuing);
  const from = wholeSeconds(now).getTime();
  const order: CertificateOrder = {
    profile: ISSUING,
    serialNumber: newSerialNumber(random),
    commonName: commonNameOf(current),
    subjectAltName: {},
    publicKey: current.publicKey.export({ type: 'spki', format: 'der' }),
    notBefore: new Date(from - BACKDATED_SECONDS * 1000),
    notAfter: new Date(Math.min(from + days * DAY_MS, root.notAfter.getTime())),
    issuer: root,
    publishedAt: request.publishedAt,
  };
  return root.certify(lintCertificate(buildCertificate(order), order));
}

/** cACompromise of RFC 5280 5.3.1: everything that the issuing CA has signed falls with it. */
const CA_COMPROMISE = 2;

/** The entry of a CRL by which the issuing CA's certificate is revoked, DER. */
export function revokedIssuing(issuing: Buffer, now: Date): Buffer {
  const serialNumber = Buffer.from(new X509Certificate(issuing).serialNumber, 'hex');
  const reason = extension(OID.reasonCode, false, enumerated(CA_COMPROMISE));
  return sequence(unsignedInteger(serialNumber), time(wholeSeconds(now)), sequence(reason));
}

/** Only what this root has signed before gets another certificate: a request of somebody else's key is refused here. */
function checkRoot(root: Authority, request: RootRequest): void {
  const mine = new X509Certificate(root.certificate);
  const issued = new X509Certificate(request.issuing).verify(mine.publicKey);
  if (request.root.equals(root.certificate) && issued) return;
  throw new DomainError('conflict', 'root-differs', 'the request is of another root than the one whose key is here');
}

function commonNameOf({ subject }: X509Certificate): string {
  const name = /^CN=([^\n]+)$/.exec(subject)?.[1];
  if (name !== undefined) return name;
  throw new DomainError('conflict', 'root-differs', 'the subject of the issuing CA is not one common name');
}

const wholeSeconds = (date: Date) => new Date(Math.floor(date.getTime() / 1000) * 1000);
