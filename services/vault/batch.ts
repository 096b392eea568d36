interface Waiting<Q, A> {
  readonly question: Q;
  readonly resolve: (answer: A) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Gathers single questions into joint ones: what comes while others are under way goes out together. With nothing under
 * way a question waits only for the end of the current turn. So the cost of a round trip and of a commit is shared under
 * load, and nobody waits for a timer.
 */
export class Batch<Q, A> {
  readonly #ask: (questions: readonly Q[]) => Promise<readonly A[]>;
  readonly #maxSize: number;
  readonly #maxUnderWay: number;
  #waiting: Waiting<Q, A>[] = [];
  #underWay = 0;
  #scheduled = false;

  /** @param ask gives as many answers as there are questions, in their order; if it fails, all of them fail. */
  constructor(
    ask: (questions: readonly Q[]) => Promise<readonly A[]>,
    limits: { readonly maxSize: number; readonly maxUnderWay: number },
  ) {
    this.#ask = ask;
    this.#maxSize = limits.maxSize;
    this.#maxUnderWay = limits.maxUnderWay;
  }

  ask(question: Q): Promise<A> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ question, resolve, reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled || this.#underWay >= this.#maxUnderWay || this.#waiting.length === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      void this.#run(this.#waiting.splice(0, this.#maxSize));
      this.#schedule();
    });
  }

  async #run(batch: readonly Waiting<Q, A>[]): Promise<void> {
    this.#underWay += 1;
    try {
      const answers = await this.#ask(batch.map(({ question }) => question));
      if (answers.length !== batch.length) throw new Error('a batch was answered in part');
      // Bounded by the length check; `as A` because A itself may include undefined.
      batch.forEach(({ resolve }, at) => {
        resolve(answers[at] as A);
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
    this.#underWay -= 1;
    this.#schedule();
  }
}
