import { unreachable } from '../server/exchange.http.ts';
import { proxyFor } from '../server/proxy.ts';
import { Wire, type WireResponse } from '../server/wire.http.ts';
import type { KnownServer } from '../store/document.ts';
import type { ServerFacts } from './facts.ts';

const TIMEOUT_MS = 5_000;
const ANSWER_BYTES_MAX = 4096;

/**
 * Asks the server whether it lives, by the way and with the trust that all calls have: no credential is sent, and nothing
 * of the answer but its time is used.
 */
export async function serverFacts(
  { url, trustedCa }: KnownServer,
  environment: NodeJS.ProcessEnv,
  now: () => Date,
): Promise<ServerFacts> {
  const before = now().getTime();
  let response: WireResponse;
  try {
    const ca = trustedCa === null ? undefined : Buffer.from(trustedCa, 'base64');
    const wire = new Wire({ baseUrl: url, trustedCa: ca, proxy: proxyFor(url, environment) });
    response = await wire.send({
      method: 'GET',
      url: `${url}/health/live`,
      headers: { 'user-agent': 'cardwright-agent' },
      body: undefined,
      timeoutMs: TIMEOUT_MS,
      maxBytes: ANSWER_BYTES_MAX,
      signal: undefined,
    });
  } catch (error) {
    const { code, detail } = unreachable({ baseUrl: url, pinned: trustedCa !== null, timeoutMs: TIMEOUT_MS }, error);
    return { url, reached: false, code, detail };
  }
  if (response.status !== 200) {
    const detail = `${url} answered with status ${response.status}, not as a Cardwright server that lives.`;
    return { url, reached: false, code: 'server-answer-invalid', detail };
  }
  // RFC 9110, section 6.6.1: whole seconds. The middle of the exchange is our moment.
  const theirs = Date.parse(response.date ?? '');
  const ours = (before + now().getTime()) / 2;
  return { url, reached: true, clockAheadSeconds: Number.isNaN(theirs) ? null : Math.round((ours - theirs) / 1000) };
}
