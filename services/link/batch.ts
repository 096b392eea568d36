interface Waiting<Question, Answer> {
  readonly question: Question;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

export interface BatchLimits {
  /** Questions that go out together at most. */
  readonly maxSize: number;
  /** Joint questions without an answer yet at most. */
  readonly maxUnderWay: number;
  /** True when a failure is of one question among several, and may be told apart by asking each alone. Else all fail. */
  readonly askEachAlone?: (error: unknown) => boolean;
}

/**
 * Gathers single questions into joint ones: what comes while others are under way goes out together with the next. With
 * nothing under way a question waits only for the end of the current turn. So the cost of a round trip and of a commit is
 * shared under load, and nobody waits for a timer. Nothing is kept: a question is always asked after it came.
 */
export class Batch<Question, Answer> {
  readonly #ask: (questions: readonly Question[]) => Promise<readonly Answer[]>;
  readonly #limits: BatchLimits;
  #waiting: Waiting<Question, Answer>[] = [];
  #underWay = 0;
  #scheduled = false;

  /** @param ask gives as many answers as there are questions, in their order; or fails. */
  constructor(ask: (questions: readonly Question[]) => Promise<readonly Answer[]>, limits: BatchLimits) {
    this.#ask = ask;
    this.#limits = limits;
  }

  ask(question: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ question, resolve, reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled || this.#underWay >= this.#limits.maxUnderWay || this.#waiting.length === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      void this.#run(this.#waiting.splice(0, this.#limits.maxSize));
      this.#schedule();
    });
  }

  async #run(taken: readonly Waiting<Question, Answer>[]): Promise<void> {
    this.#underWay += 1;
    await this.#settle(taken);
    this.#underWay -= 1;
    this.#schedule();
  }

  async #settle(taken: readonly Waiting<Question, Answer>[]): Promise<void> {
    try {
      const answers = await this.#ask(taken.map(({ question }) => question));
      if (answers.length !== taken.length) throw new Error('a batch was answered in part');
      // Bounded by the length check; `as Answer` because Answer itself may include undefined.
      for (const [at, { resolve }] of taken.entries()) resolve(answers[at] as Answer);
    } catch (error) {
      if (taken.length > 1 && this.#limits.askEachAlone?.(error) === true) {
        for (const one of taken) await this.#settle([one]);
      } else {
        for (const { reject } of taken) reject(error);
      }
    }
  }
}
