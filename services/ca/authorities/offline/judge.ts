import { createPublicKey, verify, X509Certificate } from 'node:crypto';
import { DomainError } from '@cardwright/protocol';
import { DerError } from '../../asn1/reader.ts';
import { type CertificateList, readCertificateList } from '../../x509/certificate-list.ts';
import { signatureScheme } from '../../x509/signature-scheme.ts';
import { Authority } from '../authority.ts';

/**
 * What came from the place of the root's key, before the online CA takes it over: a CRL.
 * @param last the one that stands now, DER; null: none yet
 * @throws DomainError `root-crl-refused` (unprocessable)
 */
export function judgeRootCrl(der: Buffer, rootCertificate: Buffer, last: Buffer | null, now: Date): CertificateList {
  const root = new Authority('root', rootCertificate, null);
  const list = read(der);
  const key = createPublicKey({ key: root.publicKey, format: 'der', type: 'spki' });
  const { hash, algorithm } = signatureScheme(root.publicKey);
  const signed = list.algorithm.equals(algorithm) && verify(hash, list.body, key, list.signature);
  if (!signed || !list.issuer.equals(root.name)) throw refused('it is not signed by this root');
  if (list.thisUpdate.getTime() > now.getTime() || list.nextUpdate <= now) throw refused('it is not good now');
  if (last !== null) {
    const before = read(last);
    if (list.number <= before.number) throw refused(`its number must be over ${before.number}`);
    const listed = new Set(list.entries.map(({ serialNumber }) => serialNumber));
    const forgotten = before.entries.find(({ serialNumber }) => !listed.has(serialNumber));
    if (forgotten !== undefined) throw refused(`it forgets the revocation of ${forgotten.serialNumber}`);
  }
  return list;
}

/**
 * A certificate for the issuing CA.
 * @throws DomainError `issuing-certificate-refused` (unprocessable)
 */
export function judgeIssuing(der: Buffer, rootCertificate: Buffer, current: Buffer, now: Date): void {
  const wrong = (detail: string) => new DomainError('unprocessable', 'issuing-certificate-refused', detail);
  const certificate = parsed(der);
  if (certificate === null) throw wrong('the file holds no certificate in DER');
  const before = new X509Certificate(current);
  if (!certificate.verify(new X509Certificate(rootCertificate).publicKey)) throw wrong('this root did not sign it');
  if (!certificate.ca || certificate.subject !== before.subject || !certificate.publicKey.equals(before.publicKey)) {
    throw wrong('it is not for the name and the key of the issuing CA');
  }
  const [from, to] = [new Date(certificate.validFrom), new Date(certificate.validTo)];
  if (from > now || to <= now) throw wrong('it is not good now');
  if (to < new Date(before.validTo))
    throw wrong('it ends before the one that stands: that would cut certificates short');
}

function parsed(der: Buffer): X509Certificate | null {
  try {
    return new X509Certificate(der);
  } catch {
    return null;
  }
}

function read(der: Buffer): CertificateList {
  try {
    return readCertificateList(der);
  } catch (error) {
    if (error instanceof DerError) throw refused(error.message);
    throw error;
  }
}

const refused = (detail: string) =>
  new DomainError('unprocessable', 'root-crl-refused', `the CRL is refused: ${detail}`);
