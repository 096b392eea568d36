/** What one group of tests or checks gave. */
export interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly Skip[];
  /** What a person needs to put it right; printed under the group. */
  readonly complaints: readonly string[];
}

export interface Skip {
  readonly test: string;
  readonly why: string;
}

export const PASSED: Outcome = { passed: 1, failed: 0, skipped: [], complaints: [] };

export function failed(...complaints: string[]): Outcome {
  return { passed: 0, failed: 1, skipped: [], complaints };
}

/** One test a name: failed when there are complaints under it. */
export function fromComplaints(byTest: Readonly<Record<string, readonly string[]>>): Outcome {
  const tests = Object.entries(byTest);
  const broken = tests.filter(([, complaints]) => complaints.length > 0);
  return {
    passed: tests.length - broken.length,
    failed: broken.length,
    skipped: [],
    complaints: broken.flatMap(([test, complaints]) => [
      `${test}:`,
      ...complaints.map((complaint) => `  ${complaint}`),
    ]),
  };
}

export function sum(outcomes: readonly Outcome[]): Outcome {
  return {
    passed: outcomes.reduce((total, outcome) => total + outcome.passed, 0),
    failed: outcomes.reduce((total, outcome) => total + outcome.failed, 0),
    skipped: outcomes.flatMap((outcome) => outcome.skipped),
    complaints: outcomes.flatMap((outcome) => outcome.complaints),
  };
}

/** The last line of a run. */
export function lastLine(total: Outcome): string {
  const skipped = total.skipped.length === 0 ? '' : `, ${total.skipped.length} skipped`;
  return `${total.passed} passed, ${total.failed} failed${skipped}`;
}
