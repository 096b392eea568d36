import { parentPort, workerData } from 'node:worker_threads';
import type { TokenAnswer, TokenPlace, TokenRequest } from './token.ts';
import { failureOf, openTokenSession } from './token-session.pkcs11.ts';
import { tokenWork } from './token-work.pkcs11.ts';

/** Runs in a thread of its own: PKCS#11 calls are synchronous, and a token on a wire takes milliseconds for each. */
const port = parentPort;
if (port === null) throw new Error('token-thread is started as a worker thread');

const work = tokenWork(openTokenSession(workerData as TokenPlace));

port.on('message', ({ number, operation, parameters }: TokenRequest) => {
  const answer = (): TokenAnswer => {
    try {
      return { number, value: (work[operation] as (...given: readonly unknown[]) => Uint8Array)(...parameters) };
    } catch (error) {
      return { number, failure: failureOf(error) };
    }
  };
  port.postMessage(answer());
});
