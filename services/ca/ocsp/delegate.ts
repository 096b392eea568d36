import { createHash, generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import { type Authority, type Sign, signWith } from '../authorities/authority.ts';
import { buildCertificate } from '../issuance/build.ts';
import { BACKDATED_SECONDS, type CertificateStore } from '../issuance/issue.ts';
import { lintCertificate } from '../issuance/lint.ts';
import { OCSP_RESPONDER } from '../issuance/profiles.ts';
import { keyBits } from '../x509/public-key.ts';
import { newSerialNumber } from '../x509/serial-number.ts';

/** The delegated responder (RFC 6960 4.2.2.2): a key of its own, so that the CA's key signs no answers to strangers. */
export interface Delegate {
  readonly certificate: Buffer;
  readonly keyHash: Buffer;
  readonly notAfter: Date;
  readonly sign: Sign;
}

export interface DelegateOptions {
  readonly issuing: Authority;
  readonly certificates: CertificateStore;
  readonly now: () => Date;
  readonly random: (bytes: number) => Buffer;
}

const DAY_MS = 86_400_000;
const DELEGATE_DAYS = 30;
const RENEW_BEFORE_DAYS = 10;

export const isDue = ({ notAfter }: Delegate, now: Date): boolean =>
  notAfter.getTime() - now.getTime() < RENEW_BEFORE_DAYS * DAY_MS;

/** A key that lives in memory only, and its recorded certificate. */
export async function makeDelegate(options: DelegateOptions): Promise<Delegate> {
  const { issuing, certificates } = options;
  const pair = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
  const publicKey = pair.publicKey.export({ type: 'spki', format: 'der' });
  const serialNumber = newSerialNumber(options.random);
  const from = Math.floor(options.now().getTime() / 1000) * 1000;
  const wanted = from + DELEGATE_DAYS * DAY_MS;
  const order = {
    profile: OCSP_RESPONDER,
    serialNumber,
    commonName: 'Cardwright OCSP responder',
    subjectAltName: {},
    publicKey,
    notBefore: new Date(from - BACKDATED_SECONDS * 1000),
    notAfter: new Date(Math.min(wanted, issuing.notAfter.getTime())),
    issuer: issuing,
    publishedAt: null,
  };
  const body = buildCertificate(order);
  const requestId = `ocsp-responder-${serialNumber.toString('hex')}`;
  const requestSha256 = createHash('sha256').update(body).digest();
  const { notBefore, notAfter } = order;
  const profile = OCSP_RESPONDER.name;
  await certificates.propose({
    serialNumber,
    requestId,
    requestSha256,
    issuer: issuing.role,
    profile,
    body,
    notBefore,
    notAfter,
    ignored: [],
  });
  const certificate = await issuing.certify(lintCertificate(body, order));
  await certificates.complete(serialNumber, certificate);
  const keyHash = createHash('sha1').update(keyBits(publicKey)).digest();
  return { certificate, keyHash, notAfter, sign: signWith(pair.privateKey) };
}
