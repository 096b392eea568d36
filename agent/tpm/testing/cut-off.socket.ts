import { randomBytes } from 'node:crypto';
import type { Bytes } from '@cardwright/protocol/tpm';
import { flushLeftOvers } from '../capability.ts';
import { openSocket } from '../stream.socket.ts';
import { parseTcti } from '../tcti.ts';
import { Tpm } from '../tpm.ts';
import { unreachable } from '../transport-errors.ts';

export interface Watched {
  readonly tpm: Tpm;
  /** Every command that was sent, in order. */
  readonly sent: readonly Buffer[];
  /** Lets `commands` more commands through, then dies: before the TPM gets the next one, or after it did it but unheard. */
  cutAfter(commands: number, when: 'before' | 'after'): void;
}

/** A TPM on a connection that is watched and can be cut between any two commands, as by a power loss. */
export async function openWatched(tctiText: string): Promise<Watched> {
  const tcti = parseTcti(tctiText);
  if (tcti.kind === 'device') throw new Error('a software TPM is expected');
  const real = await openSocket(tcti);
  const sent: Buffer[] = [];
  let left = Number.POSITIVE_INFINITY;
  let last: 'before' | 'after' = 'before';
  const exchange = async (command: Bytes, timeoutMs: number): Promise<Bytes> => {
    const alive = left-- > 0;
    if (!alive && (last === 'before' || left < -1)) throw unreachable(real.target);
    sent.push(Buffer.from(command));
    const response = await real.exchange(command, timeoutMs);
    if (!alive) throw unreachable(real.target);
    return response;
  };
  const random = (bytes: number): Bytes => new Uint8Array(randomBytes(bytes));
  const transport = { target: real.target, managed: false, exchange, close: () => real.close() };
  const tpm = new Tpm(transport, { random, pause: async () => undefined });
  await flushLeftOvers(tpm);
  sent.length = 0;
  return {
    tpm,
    sent,
    cutAfter(commands, when) {
      left = commands;
      last = when;
    },
  };
}
