import { Worker } from 'node:worker_threads';
import { Batch } from '@cardwright/link';
import { DomainError } from '@cardwright/protocol';
import type { ProvenRequest } from './csr.ts';

export interface ProofQuestion {
  readonly number: number;
  /** The requests, one after the other. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly lengths: readonly number[];
}

export interface ProofAnswer {
  readonly number: number;
  /** In the order of the question. `start` and `length` say where in its request the key is; a refusal has its code. */
  readonly proofs: readonly (
    | { readonly start: number; readonly length: number; readonly ignored: readonly string[] }
    | { readonly code: string | null; readonly detail: string }
  )[];
}

type Proof = ProofAnswer['proofs'][number];

/** What goes to a thread at once: a message costs as much as a third of a proof. */
const TOGETHER = 32;

export interface ProofThreads {
  /** As {@link provenKey} does, elsewhere. */
  prove(csr: Buffer): Promise<ProvenRequest>;
  close(): Promise<void>;
}

/** @param count threads; each takes some 10 MB */
export function proofThreads(count: number): ProofThreads {
  const threads = Array.from({ length: count }, () => proofThread());
  const batch = new Batch(
    (csrs: readonly Buffer[]) => threads.reduce((a, b) => (b.waiting() < a.waiting() ? b : a)).ask(csrs),
    { maxSize: TOGETHER, maxUnderWay: count },
  );
  return {
    async prove(csr) {
      const proof = await batch.ask(csr);
      if ('ignored' in proof) {
        return { publicKey: csr.subarray(proof.start, proof.start + proof.length), ignored: proof.ignored };
      }
      if (proof.code === null) throw new Error(proof.detail);
      throw new DomainError('unprocessable', proof.code, proof.detail);
    },
    async close() {
      await Promise.all(threads.map((thread) => thread.close()));
    },
  };
}

function proofThread() {
  interface Asked {
    resolve(proofs: readonly Proof[]): void;
    reject(error: Error): void;
  }
  const asked = new Map<number, Asked>();
  let worker: Worker | null = null;
  let last = 0;

  /** One that ended is replaced: what it was asked fails, and what comes after does not. */
  function started(): Worker {
    const made = new Worker(new URL('./proof-thread.node.js', import.meta.url));
    made.unref();
    made.on('message', ({ number, proofs }: ProofAnswer) => {
      asked.get(number)?.resolve(proofs);
      asked.delete(number);
    });
    const end = (error: Error) => {
      if (worker === made) worker = null;
      for (const { reject } of asked.values()) reject(error);
      asked.clear();
    };
    made.on('error', end);
    made.on('exit', () => end(new Error('a thread that checks requests has ended')));
    return made;
  }

  return {
    waiting: () => asked.size,
    ask: (csrs: readonly Buffer[]) =>
      new Promise<readonly Proof[]>((resolve, reject) => {
        worker ??= started();
        last += 1;
        asked.set(last, { resolve, reject });
        const bytes = new Uint8Array(csrs.reduce((sum, { length }) => sum + length, 0));
        let at = 0;
        for (const csr of csrs) {
          bytes.set(csr, at);
          at += csr.length;
        }
        const question: ProofQuestion = { number: last, bytes, lengths: csrs.map(({ length }) => length) };
        worker.postMessage(question, [bytes.buffer]);
      }),
    close: async () => void (await worker?.terminate()),
  };
}
