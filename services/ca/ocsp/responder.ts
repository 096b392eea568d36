import { createHash, generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import { isDomainError } from '@cardwright/protocol';
import { DerError } from '../asn1/reader.ts';
import { type Authority, type Sign, signWith } from '../authorities/authority.ts';
import { buildCertificate } from '../issuance/build.ts';
import { BACKDATED_SECONDS, type CertificateStore } from '../issuance/issue.ts';
import { lintCertificate } from '../issuance/lint.ts';
import { OCSP_RESPONDER } from '../issuance/profiles.ts';
import { keyBits } from '../x509/public-key.ts';
import { newSerialNumber, SERIAL_BYTES } from '../x509/serial-number.ts';
import { type CertId, parseOcspRequest } from './request.ts';
import { type CertificateStatus, failedResponse, responseData, successfulResponse } from './response.ts';

export interface StatusStore {
  /** Of those that this issuer has issued; a serial number that is not in the answer is unknown. Keys: lower hex. */
  statuses(serialNumbers: readonly Buffer[]): Promise<ReadonlyMap<string, CertificateStatus>>;
}

export interface ResponderOptions {
  readonly issuing: Authority;
  readonly certificates: CertificateStore;
  readonly statuses: StatusStore;
  readonly now: () => Date;
  readonly random: (bytes: number) => Buffer;
  /** A failure that the client is only told of as tryLater or internalError. */
  readonly onError: (error: unknown) => void;
}

/** The delegated responder (RFC 6960 4.2.2.2): a key of its own, so that the CA's key signs no answers to strangers. */
interface Delegate {
  readonly certificate: Buffer;
  readonly keyHash: Buffer;
  readonly notAfter: Date;
  readonly sign: Sign;
}

const DAY_MS = 86_400_000;
const DELEGATE_DAYS = 30;
const RENEW_BEFORE_DAYS = 10;
/** How long a client may keep an answer. */
const FRESH_MS = 600_000;

/** The responder's key lives in memory only and is made anew by each start; each certificate of it is recorded. */
export function ocspResponder(options: ResponderOptions) {
  const { issuing, now } = options;
  const issuerHashes = { sha1: hashesOf(issuing, 'sha1'), sha256: hashesOf(issuing, 'sha256') };
  let delegate: Delegate | null = null;

  async function renew(): Promise<void> {
    const due = delegate === null || delegate.notAfter.getTime() - now().getTime() < RENEW_BEFORE_DAYS * DAY_MS;
    if (due) delegate = await makeDelegate(options);
  }

  const isOurs = ({ hash, issuerNameHash, issuerKeyHash }: CertId): boolean =>
    hash !== null && issuerHashes[hash].name.equals(issuerNameHash) && issuerHashes[hash].key.equals(issuerKeyHash);

  async function answer(der: Uint8Array, by: Delegate): Promise<Buffer> {
    const { certIds, nonce } = parseOcspRequest(der);
    const asked = certIds.map((certId) => ({ certId, serial: isOurs(certId) ? serialOf(certId.serialNumber) : null }));
    const statuses = await options.statuses.statuses(asked.flatMap(({ serial }) => (serial === null ? [] : [serial])));
    const producedAt = now();
    const data = responseData({
      responderKeyHash: by.keyHash,
      producedAt,
      nextUpdate: new Date(producedAt.getTime() + FRESH_MS),
      responses: asked.map(({ certId, serial }) => ({
        certId: certId.raw,
        status: (serial === null ? undefined : statuses.get(serial.toString('hex'))) ?? { status: 'unknown' },
      })),
      nonce,
    });
    return successfulResponse(data, await by.sign(data), by.certificate);
  }

  return {
    /** Makes the responder's certificate, or its next one in good time. To be called at start and every few hours. */
    renew,

    /** @param der what came, bounded by nothing yet. @returns an OCSPResponse, DER; never throws. */
    async respond(der: Uint8Array): Promise<Buffer> {
      try {
        if (delegate === null) return failedResponse('tryLater');
        return await answer(der, delegate);
      } catch (error) {
        if (error instanceof DerError) return failedResponse('malformedRequest');
        options.onError(error);
        return failedResponse(isDomainError(error) && error.kind === 'unavailable' ? 'tryLater' : 'internalError');
      }
    },
  };
}
export type OcspResponder = ReturnType<typeof ocspResponder>;

/** @returns null for an INTEGER that is no serial number of ours: another length, negative, or with leading zeros. */
function serialOf(content: Buffer): Buffer | null {
  const [first = 0xff] = content;
  if (first >= 0x80) return null;
  const magnitude = first === 0 ? content.subarray(1) : content;
  return magnitude.length === SERIAL_BYTES ? magnitude : null;
}

function hashesOf({ name, publicKey }: Authority, hash: 'sha1' | 'sha256') {
  const digest = (bytes: Uint8Array) => createHash(hash).update(bytes).digest();
  return { name: digest(name), key: digest(keyBits(publicKey)) };
}

async function makeDelegate(options: ResponderOptions): Promise<Delegate> {
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
