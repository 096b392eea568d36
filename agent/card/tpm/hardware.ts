import { isDomainError } from '@cardwright/protocol';
import { isRefusal, lockedOut, RC, readLockout, StorageRoots, type Tpm } from '../../tpm/index.ts';

/** Something begun that holds a place in the TPM until it is finished or abandoned. */
interface Pending {
  abandon(): Promise<void>;
}

/** The TPM as the cards share it. */
export class Hardware {
  readonly tpm: Tpm;
  readonly roots: StorageRoots;
  readonly #pending = new Set<Pending>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(tpm: Tpm) {
    this.tpm = tpm;
    this.roots = new StorageRoots(tpm);
  }

  /**
   * One piece of work at a time: a bare TPM has room for three objects and three sessions, and one signature takes two of
   * each. Never called from within itself.
   */
  turn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work).catch(async (error: unknown) => {
      if (isRefusal(error, RC.LOCKOUT)) throw lockedOut(await readLockout(this.tpm), error);
      throw error;
    });
    this.#last = mine.catch(async (error: unknown) => {
      // The TPM was restarted under us: what we held in it is gone, and the next piece of work begins anew.
      if (isDomainError(error) && error.code === 'tpm-session-lost') await this.roots.release();
    });
    return mine;
  }

  hold(pending: Pending): void {
    this.#pending.add(pending);
  }

  letGo(pending: Pending): void {
    this.#pending.delete(pending);
  }

  async close(): Promise<void> {
    await this.#last;
    for (const pending of this.#pending) await pending.abandon();
    await this.roots.release();
    await this.tpm.close();
  }
}
