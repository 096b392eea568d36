import type { Bytes } from '@cardwright/protocol/tpm';
import { TPM_CC, u32 } from '@cardwright/protocol/tpm';
import { type Command, decodeResponse, encodeCommand, type Response } from './command.ts';
import { mayRetry, TpmRefusal } from './response-code.ts';
import type { Transport } from './transport.ts';

const TIMEOUT_MS = 20_000;
/** For how long a busy TPM is asked again, and the longest pause between. */
const PATIENCE_MS = 5_000;
const LONGEST_PAUSE_MS = 200;

/** What is not pure and comes from outside. */
export interface Surroundings {
  readonly random: (bytes: number) => Bytes;
  readonly pause: (milliseconds: number) => Promise<void>;
}

/** A TPM: runs commands one after the other, asks again when it is busy. */
export class Tpm {
  readonly random: (bytes: number) => Bytes;
  readonly #transport: Transport;
  readonly #pause: (milliseconds: number) => Promise<void>;
  #last: Promise<unknown> = Promise.resolve();

  constructor(transport: Transport, surroundings: Surroundings) {
    this.#transport = transport;
    this.random = surroundings.random;
    this.#pause = surroundings.pause;
  }

  /** Throws TpmRefusal (a DomainError), or what the transport throws. */
  run(command: Command): Promise<Response> {
    const turn = this.#last.then(() => this.#runNow(command));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** Forgets an object or a session. Never throws: what can't be flushed goes when the connection or the TPM does. */
  async flush(handle: number): Promise<void> {
    try {
      await this.run({ code: TPM_CC.FlushContext, parameters: u32(handle) });
    } catch {
      // Either it is gone already, or the TPM is unreachable and the next command will say so.
    }
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#transport.close();
  }

  async #runNow(command: Command): Promise<Response> {
    const { bytes, authorizations } = encodeCommand(command);
    for (let waited = 0, pause = 1; ; waited += pause, pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      const response = await this.#transport.exchange(bytes, command.timeoutMs ?? TIMEOUT_MS);
      try {
        return decodeResponse(response, command, authorizations);
      } catch (error) {
        if (!(error instanceof TpmRefusal) || !mayRetry(error.rc) || waited > PATIENCE_MS) throw error;
      }
      await this.#pause(pause);
    }
  }
}
