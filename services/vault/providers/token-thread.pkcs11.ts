import { parentPort, workerData } from 'node:worker_threads';
import type { TokenAnswer, TokenRequest } from './token.ts';
import { failureOf } from './token-failure.pkcs11.ts';
import { openTokenSession, type TokenPlace } from './token-session.pkcs11.ts';
import { tokenWork } from './token-work.pkcs11.ts';

/** Runs in a thread of its own: PKCS#11 calls are synchronous, and a token on a wire takes milliseconds for each. */
const port = parentPort;
if (port === null) throw new Error('token-thread is started as a worker thread');

const work = tokenWork(openTokenSession(workerData as TokenPlace));

port.on('message', ({ id, operation, parameters }: TokenRequest) => {
  const answer = (): TokenAnswer => {
    try {
      const value = (work[operation] as (...given: readonly unknown[]) => unknown)(...parameters);
      return { id, value };
    } catch (error) {
      return { id, error: failureOf(error) };
    } finally {
      for (const given of parameters) if (given instanceof Uint8Array) given.fill(0);
    }
  };
  const message = answer();
  const bytes = 'value' in message && message.value instanceof Uint8Array ? [message.value.buffer as ArrayBuffer] : [];
  port.postMessage(message, bytes);
});
