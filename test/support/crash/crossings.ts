/**
 * The steps of an act that another process can see, and what is made to happen at one of them. A tap (http-tap.ts,
 * link-tap.ts, pg-tap.ts, tpm-tap.ts) stands between two processes and calls {@link Crossings.cross} before it hands a
 * message on, and again before it hands the answer back. Anything else of a test's own may do so too: a virtual card, say.
 */
export type Phase =
  | 'before' // sent, and not yet with the one it is for
  | 'after'; // done, and the one who asked has not heard it

export interface Crossing {
  /** `agent > cms: POST claims`, `vault > postgres: administrator_keys, uses`. */
  readonly name: string;
  /** Who is at either side of it: when one of them dies there, the message is lost. */
  readonly ends: readonly string[];
}

export interface Crossings {
  /** True when the message is lost: whoever carries it cuts both sides off. */
  cross(crossing: Crossing, phase: Phase): Promise<boolean>;
  /** The names of all points passed while `act` runs, in their order; a name that came before has a number. */
  trace(act: () => Promise<unknown>): Promise<string[]>;
  /**
   * At the point of that name, once: everything waits until `strike` is done. It gives the name of who died.
   * @throws Error when `act` never came to the point.
   */
  at(point: string, strike: () => Promise<string>, act: () => Promise<unknown>): Promise<void>;
}

export function createCrossings(): Crossings {
  let passed: string[] | undefined;
  let armed: { readonly point: string; readonly strike: () => Promise<string> } | undefined;
  let times = new Map<string, number>();

  function begin(): void {
    passed = [];
    times = new Map();
  }

  return {
    async cross({ name, ends }, phase) {
      if (passed === undefined) return false;
      const label = `${name} | ${phase}`;
      const count = (times.get(label) ?? 0) + 1;
      times.set(label, count);
      const point = count === 1 ? label : `${label} #${count}`;
      passed.push(point);
      if (armed?.point !== point) return false;
      const { strike } = armed;
      armed = undefined;
      return ends.includes(await strike());
    },
    async trace(act) {
      begin();
      try {
        await act();
        return passed ?? [];
      } finally {
        passed = undefined;
      }
    },
    async at(point, strike, act) {
      begin();
      armed = { point, strike };
      try {
        await act();
        if (armed !== undefined) throw new Error(`it never came to the point: ${passed?.join('; ')}`);
      } finally {
        passed = undefined;
        armed = undefined;
      }
    },
  };
}
