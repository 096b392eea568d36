interface Waiting<Question, Answer> {
  readonly question: Question;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

export interface BatchOptions<Question, Answer> {
  /** Gives as many answers as there are questions, in their order; or fails for all of them. */
  readonly ask: (questions: readonly Question[]) => Promise<readonly Answer[]>;
  /** True when a failure is of one question among them and may be found by asking each alone. */
  readonly askEachAlone: (error: unknown) => boolean;
  readonly maxSize: number;
  readonly maxUnderWay: number;
}

/**
 * What comes while other questions are under way goes out together with the next: under load many share one round trip
 * and one commit, and nobody waits for a timer.
 */
export function batch<Question, Answer>(
  options: BatchOptions<Question, Answer>,
): (question: Question) => Promise<Answer> {
  let waiting: Waiting<Question, Answer>[] = [];
  let underWay = 0;
  let scheduled = false;

  function schedule(): void {
    if (scheduled || underWay >= options.maxUnderWay || waiting.length === 0) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      const taken = waiting.slice(0, options.maxSize);
      waiting = waiting.slice(options.maxSize);
      underWay += 1;
      void settle(taken).finally(() => {
        underWay -= 1;
        schedule();
      });
      schedule();
    });
  }

  async function settle(taken: readonly Waiting<Question, Answer>[]): Promise<void> {
    try {
      const answers = await options.ask(taken.map(({ question }) => question));
      if (answers.length !== taken.length) throw new Error('a batch was answered in part');
      for (const [at, answer] of answers.entries()) taken[at]?.resolve(answer);
    } catch (error) {
      if (taken.length > 1 && options.askEachAlone(error)) {
        for (const one of taken) await settle([one]);
      } else {
        for (const one of taken) one.reject(error);
      }
    }
  }

  return (question) =>
    new Promise((resolve, reject) => {
      waiting.push({ question, resolve, reject });
      schedule();
    });
}
