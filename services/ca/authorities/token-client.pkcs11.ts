import { Worker } from 'node:worker_threads';
import { DomainError } from '@cardwright/protocol';
import type { Token, TokenAnswer, TokenFailure, TokenPlace, TokenRequest } from './token.ts';

interface Waiting {
  readonly resolve: (value: Uint8Array) => void;
  readonly reject: (error: DomainError) => void;
}

/**
 * The token, seen from the CA's own thread.
 * Errors: DomainError `token-away` (unavailable); `token-pin-refused`, `token-key-missing`, `token-key-extractable`,
 * `token-failed` (internal).
 */
export function connectToken(place: TokenPlace): Token {
  const worker = new Worker(new URL('./token-thread.pkcs11.js', import.meta.url), {
    workerData: place,
    env: process.env,
  });
  const waiting = new Map<number, Waiting>();
  let ended: TokenFailure | null = null;
  let last = 0;

  worker.on('message', (answer: TokenAnswer) => {
    const asked = waiting.get(answer.number);
    waiting.delete(answer.number);
    if ('failure' in answer) asked?.reject(refusal(answer.failure));
    else asked?.resolve(answer.value);
    if (waiting.size === 0) worker.unref();
  });
  const end = (detail: string) => {
    ended ??= { code: 'token-failed', detail };
    for (const { reject } of waiting.values()) reject(refusal(ended));
    waiting.clear();
  };
  worker.on('error', (error) => end(error.message));
  worker.on('exit', () => end('the thread of the token has ended'));
  worker.unref();

  function ask(operation: TokenRequest['operation'], ...parameters: readonly unknown[]): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (ended !== null) return reject(refusal(ended));
      last += 1;
      waiting.set(last, { resolve, reject });
      worker.ref();
      worker.postMessage({ number: last, operation, parameters } satisfies TokenRequest);
    });
  }

  const refusal = ({ code, detail }: TokenFailure) =>
    new DomainError(code === 'token-away' ? 'unavailable' : 'internal', code, `the token ${place.label}: ${detail}`);

  return {
    makeKey: (id, type) => ask('makeKey', id, type),
    sign: (id, algorithm, input) => ask('sign', id, algorithm, input),
    async close() {
      await worker.terminate();
    },
  };
}
