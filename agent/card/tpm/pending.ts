import { DomainError } from '@cardwright/protocol';
import type { PolicySession } from '../../tpm/index.ts';
import type { Hardware } from './hardware.ts';

/**
 * A challenge that was given out: its policy sessions, until they are spent or given up. A refused answer leaves it open
 * for another attempt; once the answers were taken there is no second time, whatever comes of it.
 */
export class PendingChallenge {
  readonly #hardware: Hardware;
  readonly #sessions: readonly PolicySession[];
  #over = false;

  constructor(hardware: Hardware, sessions: readonly PolicySession[]) {
    this.#hardware = hardware;
    this.#sessions = sessions;
    hardware.hold(this);
  }

  /** `work` calls `taken` when all answers were taken. Throws `challenge-over`, and what `work` throws. */
  finish(work: (taken: () => void) => Promise<void>): Promise<void> {
    return this.#hardware.turn(async () => {
      if (this.#over) {
        throw new DomainError(
          'conflict',
          'challenge-over',
          'This challenge was used or given up: begin with a new one.',
        );
      }
      try {
        await work(() => {
          this.#over = true;
        });
      } finally {
        if (this.#over) await this.abandon();
      }
    });
  }

  async abandon(): Promise<void> {
    this.#over = true;
    this.#hardware.letGo(this);
    for (const session of this.#sessions) await session.end();
  }
}
