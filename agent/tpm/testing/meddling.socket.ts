import { randomBytes } from 'node:crypto';
import { type Bytes, u32 } from '@cardwright/protocol/tpm';
import { flushLeftOvers } from '../capability.ts';
import { openSocket } from '../stream.socket.ts';
import { parseTcti } from '../tcti.ts';
import { Tpm } from '../tpm.ts';
import type { Transport } from '../transport.ts';

/** What stands between the agent and its TPM may do, command by command. */
export interface Meddling {
  /** What the TPM gets in place of the command; what is thrown is what the transport throws. */
  readonly command?: (command: Bytes) => Bytes;
  /** What the agent gets in place of the response. Never called for a command that `answer` took. */
  readonly response?: (response: Bytes, command: Bytes) => Bytes;
  /** Answers in the TPM's place, which never hears of the command. */
  readonly answer?: (command: Bytes) => Bytes | undefined;
}

export interface Meddled {
  readonly tpm: Tpm;
  /** From now on; `{}` leaves everything as it is. */
  meddle(meddling: Meddling): void;
  /** Milliseconds waited before a command was sent again. No time passes. */
  readonly pauses: number[];
}

/** A real TPM on a connection on which somebody meddles, or which fails as hardware does. */
export async function openMeddled(tctiText: string): Promise<Meddled> {
  const tcti = parseTcti(tctiText);
  if (tcti.kind === 'device') throw new Error('a software TPM is expected');
  const real = await openSocket(tcti);
  let now: Meddling = {};
  const transport: Transport = {
    target: real.target,
    managed: false,
    exchange: async (command, timeoutMs) => {
      const answer = now.answer?.(command);
      if (answer !== undefined) return answer;
      const sent = now.command?.(command) ?? command;
      const response = await real.exchange(sent, timeoutMs);
      return now.response?.(response, command) ?? response;
    },
    close: () => real.close(),
  };
  const pauses: number[] = [];
  const tpm = new Tpm(transport, {
    random: (bytes) => new Uint8Array(randomBytes(bytes)),
    pause: async (milliseconds) => {
      pauses.push(milliseconds);
    },
  });
  await flushLeftOvers(tpm);
  return {
    tpm,
    pauses,
    meddle: (meddling) => {
      now = meddling;
    },
  };
}

/** TPM_CC of a command. */
export function codeOf(command: Bytes): number {
  return new DataView(command.buffer, command.byteOffset).getUint32(6);
}

/** A response that says only this. */
export function refusing(rc: number): Bytes {
  return Uint8Array.of(0x80, 0x01, 0, 0, 0, 10, ...u32(rc));
}

/** The same bytes with one bit turned; `at` may count from the end, as -1 does. */
export function turned(bytes: Bytes, at: number, bit = 1): Bytes {
  const place = at < 0 ? bytes.length + at : at;
  return bytes.map((byte, index) => (index === place ? byte ^ bit : byte));
}
