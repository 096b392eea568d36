import type { ServerFacts } from './facts.ts';

const PATIENCE_MS = 5_000;

/** Asks the server whether it lives: no credential is sent, and nothing of the answer but its time is used. */
export async function serverFacts(url: string, now: () => Date): Promise<ServerFacts> {
  const before = now().getTime();
  let response: Response;
  try {
    response = await fetch(`${url}/health/live`, { redirect: 'manual', signal: AbortSignal.timeout(PATIENCE_MS) });
    await response.body?.cancel();
  } catch (error) {
    if (error instanceof Error && error.name === 'TimeoutError') {
      const detail = `${url} did not answer within ${PATIENCE_MS / 1000} seconds.`;
      return { url, reached: false, code: 'server-timeout', detail };
    }
    // fetch hides what happened (ECONNREFUSED, a certificate that is not trusted) in the cause.
    const cause = error instanceof Error ? error.cause : undefined;
    const reason = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
    return { url, reached: false, code: 'server-unreachable', detail: `${url} can't be reached${reason}.` };
  }
  if (!response.ok) {
    const detail = `${url} answered with status ${response.status}, not as a Cardwright server that lives.`;
    return { url, reached: false, code: 'server-answer-invalid', detail };
  }
  // RFC 9110, section 6.6.1: whole seconds. The middle of the exchange is our moment.
  const theirs = Date.parse(response.headers.get('date') ?? '');
  const ours = (before + now().getTime()) / 2;
  return { url, reached: true, clockAheadSeconds: Number.isNaN(theirs) ? null : Math.round((ours - theirs) / 1000) };
}
