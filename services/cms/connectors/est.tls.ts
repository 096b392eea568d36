import { DomainError, type Secret } from '@cardwright/protocol';
import type { AuthorityDescription, IssuanceRequest } from '../certificates/index.ts';
import type { Exchange, HttpAnswer } from './exchange.tls.ts';
import { demandKindAndNames } from './expressible.ts';
import type { PinnedChain } from './judge-answer.ts';
import { wantedNames } from './names.ts';
import { certificatesInPkcs7 } from './pkcs7.ts';
import type { CaConnector } from './ports.ts';
import { badAnswer, refusedByCa, unavailable } from './refusals.ts';
import { askedBeyondKey } from './request-names.ts';

export interface EstSettings {
  readonly description: AuthorityDescription;
  readonly pinned: PinnedChain;
  readonly answerWithinMillis: number;
  readonly giveUpAfterMillis: number;
  /** `https://host[:port]`; the well-known path is RFC 7030's. */
  readonly url: URL;
  /** Our certificate kind → the CA's label (section 3.2.2); empty: without one. */
  readonly profiles: Readonly<Record<string, string>>;
  readonly login: { readonly user: string; readonly password: Secret } | null;
  /** Whether the CA writes names as the request has them, or takes them from a directory of its own. */
  readonly namesFrom: 'request' | 'ca';
  readonly pause: (millis: number, signal: AbortSignal) => Promise<void>;
  readonly now: () => Date;
  readonly revoke: CaConnector['revoke'];
}

const BASE64_LINES = /^[A-Za-z0-9+/\r\n]*={0,2}[\r\n]*$/;
const LONGEST_RETRY_MILLIS = 60_000;

/**
 * Enrolment over Secure Transport (RFC 7030): cacerts, simpleenroll and simplereenroll, over TLS with explicit trust. EST
 * has no revocation, no search and no request ids: those are told by a command of the configuration, or by hand.
 */
export function createEst(settings: EstSettings, exchange: Exchange): CaConnector {
  const { description, pinned, profiles } = settings;

  const urlOf = (operation: string, label: string) =>
    new URL(`/.well-known/est/${label === '' ? '' : `${encodeURIComponent(label)}/`}${operation}`, settings.url);

  const authorization = (): Record<string, string> => {
    const { login } = settings;
    if (login === null) return {};
    const basic = login.password.use((bytes) =>
      Buffer.concat([Buffer.from(`${login.user}:`), bytes]).toString('base64'),
    );
    return { authorization: `Basic ${basic}` };
  };

  /** Asks, and asks the same again as long as the CA says that it is still deciding (section 4.2.3). */
  async function enrolled(request: IssuanceRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const question = {
      url: urlOf(request.renewal ? 'simplereenroll' : 'simpleenroll', profiles[request.profile] ?? ''),
      method: 'POST' as const,
      headers: {
        ...authorization(),
        'content-type': 'application/pkcs10',
        'content-transfer-encoding': 'base64',
        accept: 'application/pkcs7-mime',
      },
      body: Buffer.from(request.csr).toString('base64').replace(/.{76}/g, '$&\r\n'),
    };
    for (;;) {
      const answer = await exchange(question, signal);
      if (answer.status !== 202) return answer;
      await settings.pause(retryAfterMillis(answer, settings.now()), signal).catch((error: unknown) => {
        throw unavailable('The CA has not decided yet.', error);
      });
    }
  }

  return {
    description,
    pinned,
    answerWithinMillis: settings.answerWithinMillis,
    giveUpAfterMillis: settings.giveUpAfterMillis,

    demandExpressible(request) {
      demandKindAndNames(description, request);
      if (settings.namesFrom === 'request') demandSameNames(request);
    },

    enrol: async (request, signal) => certificatesOf(await enrolled(request, signal)),

    ...(settings.revoke === undefined ? {} : { revoke: settings.revoke }),

    async probe() {
      const label = Object.values(profiles)[0] ?? '';
      const question = {
        url: urlOf('cacerts', label),
        method: 'GET' as const,
        headers: { accept: 'application/pkcs7-mime' },
      };
      const answer = await exchange(question, AbortSignal.timeout(settings.answerWithinMillis));
      const [issuing] = pinned;
      if (!certificatesOf(answer).some((one) => Buffer.from(one).equals(issuing.bytes))) {
        throw unavailable('The EST server gives other CA certificates than the one in the configuration.');
      }
    },
  };
}

/** EST signs what the request says. So the request has to say what was ordered, before anybody signs it. */
function demandSameNames(request: IssuanceRequest): void {
  const wanted = wantedNames(request);
  const { names } = askedBeyondKey(request.csr);
  if (wanted.size === names.size && [...wanted].every((name) => names.has(name))) return;
  const detail = `This CA takes names from the request, and the request has other names (${names.size}) than the order (${wanted.size}). Have the device write the names of the order into its request, or let the CA take them from its directory.`;
  throw new DomainError('unprocessable', 'csr-names-differ', detail);
}

function certificatesOf({ status, headers, body }: HttpAnswer): Uint8Array[] {
  if (status !== 200) throw refusal(status);
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/pkcs7-mime' && type !== 'application/x-pkcs7-mime') {
    throw badAnswer('ca-answer-malformed', 'The answer is not of the type application/pkcs7-mime.');
  }
  const text = body.toString('latin1');
  // RFC 7030 sends base64 always; RFC 8951 section 3.1 says that no header tells so.
  if (!BASE64_LINES.test(text.trim())) throw badAnswer('ca-answer-malformed', 'The answer is not base64.');
  return certificatesInPkcs7(new Uint8Array(Buffer.from(text, 'base64')));
}

function refusal(status: number): DomainError {
  const detail = `The EST server answered with status ${status}.`;
  const ours = status === 401 || status === 403 || status === 404 || (status >= 300 && status < 400);
  if (status >= 500 || status === 429 || ours) return unavailable(detail);
  if (status >= 400) return refusedByCa(detail);
  return badAnswer('ca-answer-malformed', detail);
}

/** Seconds or a date (RFC 9110 section 10.2.3), within bounds: the server decides when, not whether we ever ask. */
function retryAfterMillis({ headers }: HttpAnswer, now: Date): number {
  const text = headers['retry-after'] ?? '';
  const millis = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now.getTime();
  return Math.min(LONGEST_RETRY_MILLIS, Math.max(100, Number.isNaN(millis) ? 5_000 : millis));
}
