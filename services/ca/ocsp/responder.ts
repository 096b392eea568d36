import { createHash } from 'node:crypto';
import { isDomainError } from '@cardwright/protocol';
import type { Authority } from '../authorities/authority.ts';
import { keyBits } from '../x509/public-key.ts';
import { SERIAL_BYTES } from '../x509/serial-number.ts';
import { type Answer, Answers } from './answers.ts';
import { type Delegate, type DelegateOptions, isDue, makeDelegate } from './delegate.ts';
import { KnownStatuses } from './known-statuses.ts';
import { type CertId, type OcspRequest, parseOcspRequest } from './request.ts';
import { type CertificateStatus, failedResponse, responseData, successfulResponse } from './response.ts';
import type { StatusWatch } from './status-watch.ts';

export interface StatusStore {
  /** Of those that this issuer has issued; a serial number that is not in the answer is unknown. Keys: lower hex. */
  statuses(serialNumbers: readonly Buffer[]): Promise<ReadonlyMap<string, CertificateStatus>>;
}

export interface ResponderOptions extends DelegateOptions {
  readonly statuses: StatusStore;
  readonly watch: Pick<StatusWatch, 'look' | 'upToDate' | 'current'>;
  /** A failure that the client is only told of as tryLater or internalError. */
  readonly onError: (error: unknown) => void;
}

/** How long a client may keep an answer. */
const FRESH_MS = 600_000;
/** An answer that is kept here is made anew at this age: whoever gets one has some minutes of it left. */
const RENEW_AFTER_MS = FRESH_MS / 2;
const MOST_ANSWERS = 25_000;
const MOST_STATUSES = 100_000;
/** Answers being made; the next one is told to try later. */
const MOST_AT_ONCE = 512;

export type OcspResult = Answer | { readonly response: Buffer; readonly producedAt: null };

/**
 * Answers for the issuing CA. Each start makes a key of its own. Answers to the plain question after one certificate are
 * kept, signed, until its status changes or they grow old; with a nonce, or about more than one, each is made anew.
 */
export function ocspResponder(options: ResponderOptions) {
  const { issuing, now, watch } = options;
  const issuerHashes = { sha1: hashesOf(issuing, 'sha1'), sha256: hashesOf(issuing, 'sha256') };
  const answers = new Answers(MOST_ANSWERS);
  const known = new KnownStatuses(MOST_STATUSES);
  let delegate: Delegate | null = null;
  let atOnce = 0;

  const isOurs = ({ hash, issuerNameHash, issuerKeyHash }: CertId): boolean =>
    hash !== null && issuerHashes[hash].name.equals(issuerNameHash) && issuerHashes[hash].key.equals(issuerKeyHash);

  async function statusesOf(serials: readonly Buffer[]): Promise<ReadonlyMap<string, CertificateStatus>> {
    // While the database does not answer nobody can say "as of now": then it is asked, and the client told to try later.
    const remembered = watch.current() ? known.all(serials.map((serial) => serial.toString('hex'))) : null;
    if (remembered !== null) return remembered;
    const { mark } = known;
    const found = await options.statuses.statuses(serials);
    known.remember(found, mark);
    return found;
  }

  async function make(request: OcspRequest, by: Delegate): Promise<{ answer: Answer; about: string | null }> {
    const asked = request.certIds.map((certId) => {
      return { certId, serial: isOurs(certId) ? serialOf(certId.serialNumber) : null };
    });
    const statuses = await statusesOf(asked.flatMap(({ serial }) => (serial === null ? [] : [serial])));
    const producedAt = now();
    const nextUpdate = new Date(Math.min(producedAt.getTime() + FRESH_MS, by.notAfter.getTime()));
    const statusOf = (serial: Buffer | null) => (serial === null ? undefined : statuses.get(serial.toString('hex')));
    const data = responseData({
      responderKeyHash: by.keyHash,
      producedAt,
      nextUpdate,
      responses: asked.map(({ certId, serial }) => ({
        certId: certId.raw,
        status: statusOf(serial) ?? { status: 'unknown' },
      })),
      nonce: request.nonce,
    });
    const response = successfulResponse(data, await by.sign(data), by.certificate);
    // What was never issued may be issued the next moment: "unknown" is not kept.
    const [only] = asked;
    const about = only !== undefined && statusOf(only.serial) !== undefined ? only.serial : null;
    return { answer: { response, producedAt, nextUpdate }, about: about?.toString('hex') ?? null };
  }

  async function answerOf(der: Buffer, key: string): Promise<OcspResult> {
    const request = parseOcspRequest(der);
    if (!watch.upToDate()) await watch.look();
    const kept = answers.get(key, now().getTime());
    if (kept !== null) return kept;
    const { mark } = answers;
    if (delegate === null) return failed('tryLater');
    const { answer, about } = await make(request, delegate);
    if (about !== null && request.plain) {
      answers.keep(key, about, answer, answer.producedAt.getTime() + RENEW_AFTER_MS, mark);
    }
    return answer;
  }

  return {
    /** Makes the responder's certificate, or its next one in good time. To be called at start and every few hours. */
    async renew(): Promise<void> {
      if (delegate !== null && !isDue(delegate, now())) return;
      delegate = await makeDelegate(options);
      answers.forgetAll();
    },

    /** Their status is another now; null: whose is not known. */
    forget(serials: readonly string[] | null): void {
      known.forget(serials);
      if (serials === null) answers.forgetAll();
      else answers.forget(serials);
    },

    /** @returns at once what is kept signed. null: ask {@link respond}. */
    kept: (der: Buffer): Answer | null =>
      watch.upToDate() ? answers.get(der.toString('latin1'), now().getTime()) : null,

    /** @param der what came, bounded by nothing yet. @returns an OCSPResponse, DER; never throws. */
    async respond(der: Buffer): Promise<OcspResult> {
      if (atOnce >= MOST_AT_ONCE) return failed('tryLater');
      atOnce += 1;
      try {
        return await answerOf(der, der.toString('latin1'));
      } catch (error) {
        if (isDomainError(error) && error.code === 'ocsp-request-malformed') return failed('malformedRequest');
        options.onError(error);
        return failed(isDomainError(error) && error.kind === 'unavailable' ? 'tryLater' : 'internalError');
      } finally {
        atOnce -= 1;
      }
    },
  };
}
export type OcspResponder = ReturnType<typeof ocspResponder>;

const failed = (failure: Parameters<typeof failedResponse>[0]): OcspResult => ({
  response: failedResponse(failure),
  producedAt: null,
});

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
