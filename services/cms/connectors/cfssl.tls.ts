import { createHmac } from 'node:crypto';
import type { Secret } from '@cardwright/protocol';
import type { AuthorityDescription, IssuanceRequest } from '../certificates/index.ts';
import type { Exchange, HttpAnswer } from './exchange.tls.ts';
import { demandKindAndNames } from './expressible.ts';
import { type PinnedChain, read } from './judge-answer.ts';
import { keyIdentifierOf } from './key-identifier.ts';
import { certificatesInPem, pemOf } from './pem.ts';
import type { CaConnector, RevokedAtCa } from './ports.ts';
import { badAnswer, refusedByCa, unavailable } from './refusals.ts';

export interface CfsslSettings {
  readonly description: AuthorityDescription;
  readonly pinned: PinnedChain;
  readonly answerWithinMillis: number;
  readonly giveUpAfterMillis: number;
  readonly url: URL;
  /** Our certificate kind → the profile in CFSSL's configuration. */
  readonly profiles: Readonly<Record<string, string>>;
  /** The key of CFSSL's authsign; null: `sign`, where who may ask is decided by TLS or the network. */
  readonly authenticationKey: Secret | null;
}

/** CFSSL's own number for "there is no such certificate in the database". */
const CERTIFICATE_NOT_FOUND = 11200;
/** It says these with status 400, as it says what is wrong with a request. */
const NOT_AUTHENTICATED: ReadonlySet<string> = new Set([
  'invalid token',
  'authentication required',
  'no authentication provider',
]);

/**
 * `cfssl serve` (Debian's golang-cfssl 1.2; its REST API). It can put into a certificate: common name, organisation,
 * e-mail addresses and DNS names; key usages and validity are its profile's. It keeps no request ids.
 */
export function createCfssl(settings: CfsslSettings, exchange: Exchange): CaConnector {
  const { description, pinned, url } = settings;

  async function call(operation: string, body: unknown, signal: AbortSignal): Promise<CfsslAnswer> {
    const answer = await exchange(
      {
        url: new URL(`api/v1/cfssl/${operation}`, url),
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      },
      signal,
    );
    return parsed(answer);
  }

  function signed(request: unknown): unknown {
    if (settings.authenticationKey === null) return request;
    const bytes = Buffer.from(JSON.stringify(request));
    const token = settings.authenticationKey.use((key) => createHmac('sha256', key).update(bytes).digest('base64'));
    return { token, request: bytes.toString('base64') };
  }

  return {
    description,
    pinned,
    answerWithinMillis: settings.answerWithinMillis,
    giveUpAfterMillis: settings.giveUpAfterMillis,
    demandExpressible: (request) => demandKindAndNames(description, request),

    async enrol(request, signal) {
      const body = signed(signRequest(request, settings.profiles[request.profile]));
      const operation = settings.authenticationKey === null ? 'sign' : 'authsign';
      const { certificate } = succeeded(await call(operation, body, signal));
      if (typeof certificate !== 'string') {
        throw badAnswer('ca-answer-malformed', 'The answer of CFSSL has no certificate in it.');
      }
      return certificatesInPem(certificate);
    },

    async revoke(revoked) {
      const signal = AbortSignal.timeout(settings.answerWithinMillis);
      // Debian's cfssl 1.2 files certificates under an empty key identifier, later ones under the CA's.
      let answer = await call('revoke', revocation(revoked, keyIdentifierOf(read(revoked.certificate))), signal);
      if (answer.errorCode === CERTIFICATE_NOT_FOUND) answer = await call('revoke', revocation(revoked, ''), signal);
      succeeded(answer);
    },

    async probe() {
      const answer = succeeded(await call('info', { label: '' }, AbortSignal.timeout(settings.answerWithinMillis)));
      const [issuing] = typeof answer.certificate === 'string' ? certificatesInPem(answer.certificate) : [];
      if (issuing === undefined || !Buffer.from(issuing).equals(pinned[0].bytes)) {
        throw unavailable('CFSSL signs with another certificate than the one in the configuration.');
      }
    },
  };
}

function signRequest(request: IssuanceRequest, profile: string | undefined) {
  const { subject, subjectAltName } = request;
  return {
    certificate_request: pemOf('CERTIFICATE REQUEST', request.csr),
    profile,
    subject: {
      CN: subject.commonName,
      names: subject.organization === undefined ? [] : [{ O: subject.organization }],
    },
    // Given, it takes the place of all names in the request, even when it is empty.
    hosts: [...(subjectAltName.email === null ? [] : [subjectAltName.email]), ...(subjectAltName.dnsNames ?? [])],
  };
}

const revocation = ({ serialNumber, reason }: RevokedAtCa, keyIdentifier: string) => ({
  serial: BigInt(`0x${serialNumber}`).toString(),
  authority_key_id: keyIdentifier,
  reason: reason.toLowerCase(),
});

interface CfsslAnswer {
  readonly status: number;
  readonly result: Readonly<Record<string, unknown>> | null;
  readonly errorCode: number | null;
  readonly message: string;
}

function parsed({ status, body }: HttpAnswer): CfsslAnswer {
  let json: unknown;
  try {
    json = JSON.parse(body.toString('utf8'));
  } catch (cause) {
    if (status >= 500) throw unavailable(`CFSSL failed with status ${status}.`, cause);
    throw badAnswer('ca-answer-malformed', `CFSSL answered with status ${status} and no JSON.`, cause);
  }
  const fields = isRecord(json) ? json : {};
  const [error] = Array.isArray(fields.errors) ? fields.errors : [];
  const errorCode = isRecord(error) && typeof error.code === 'number' ? error.code : null;
  const message = isRecord(error) && typeof error.message === 'string' ? printable(error.message) : '';
  const succeeds = status === 200 && fields.success === true && isRecord(fields.result);
  return { status, result: succeeds ? (fields.result as Record<string, unknown>) : null, errorCode, message };
}

function succeeded({ status, result, errorCode, message }: CfsslAnswer): Readonly<Record<string, unknown>> {
  if (result !== null) return result;
  const detail = `CFSSL answered with status ${status}, error ${errorCode ?? 'unknown'}: ${message}.`;
  // Who asks is not known to it, or it failed itself: the operator mends that, and the request stands.
  const unauthenticated = status === 401 || status === 403 || NOT_AUTHENTICATED.has(message);
  if (status >= 500 || status === 429 || unauthenticated) throw unavailable(detail);
  if (status >= 400) throw refusedByCa(detail);
  throw badAnswer('ca-answer-malformed', detail);
}

/** What others wrote, as it may stand in a log and on a screen. */
const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 120);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
