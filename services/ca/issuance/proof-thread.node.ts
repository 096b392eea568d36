import { parentPort } from 'node:worker_threads';
import { isDomainError } from '@cardwright/protocol';
import { provenKey } from './csr.ts';
import type { ProofAnswer, ProofQuestion } from './proof-threads.node.ts';

/**
 * Runs in a thread of its own: reading a request of anybody's and checking its signature takes longer than everything
 * else that is done for a certificate, and whatever a request does to it, the CA's own thread goes on.
 */
const port = parentPort;
if (port === null) throw new Error('proof-thread is started as a worker thread');

port.on('message', async ({ number, bytes, lengths }: ProofQuestion) => {
  const proofs: ProofAnswer['proofs'][number][] = [];
  let at = 0;
  for (const length of lengths) {
    const csr = Buffer.from(bytes.buffer, bytes.byteOffset + at, length);
    at += length;
    try {
      const { publicKey, ignored } = await provenKey(csr);
      proofs.push({ start: publicKey.byteOffset - csr.byteOffset, length: publicKey.length, ignored });
    } catch (error) {
      const known = isDomainError(error);
      proofs.push({ code: known ? error.code : null, detail: known ? error.detail : String(error) });
    }
  }
  port.postMessage({ number, proofs } satisfies ProofAnswer);
});
