import { setTimeout as sleep } from 'node:timers/promises';

export interface Answered {
  readonly status: number;
  // The shape is what the contract says; the command only reads a few fields of it.
  readonly body: Readonly<Record<string, unknown>>;
}

export type Call = (method: 'GET' | 'POST', path: string, ndjson?: string) => Promise<Answered>;

const TRIES = 5;

/** Calls of the public API. A server that is away for a moment is asked again: each call here is safe to repeat. */
export function createCall(base: string, token: string): Call {
  const once = async (method: string, path: string, ndjson?: string): Promise<Answered> => {
    const answer = await fetch(`${base}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(ndjson === undefined ? {} : { 'content-type': 'application/x-ndjson' }),
      },
      ...(ndjson === undefined ? {} : { body: ndjson }),
      signal: AbortSignal.timeout(60_000),
    });
    return { status: answer.status, body: (await answer.json()) as Answered['body'] };
  };
  return async (method, path, ndjson) => {
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await once(method, path, ndjson);
        if (answer.status < 500 && answer.status !== 429) return answer;
        if (attempt === TRIES) return answer;
      } catch (error) {
        if (attempt === TRIES) throw error;
      }
      await sleep(500 * attempt);
    }
  };
}
