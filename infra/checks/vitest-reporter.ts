import { writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';
import type { Outcome, Skip } from './outcome.ts';

/** Writes the outcome of a vitest run, with the reason of every skip, to the file that CARDWRIGHT_TEST_REPORT names. */
export default class OutcomeReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    let [passed, failed] = [0, unhandled.length];
    const skipped: Skip[] = [];
    const complaints = unhandled.map((error) => `outside a test: ${error.stack ?? error.message}`);
    for (const module of modules) {
      const errors = module.errors();
      failed += errors.length; // the file itself could not be run
      complaints.push(...errors.map((error) => `${module.moduleId}: ${error.message}`));
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === 'passed') passed += 1;
        else if (result.state === 'failed') failed += 1;
        else skipped.push({ test: test.fullName, why: ('note' in result && result.note) || 'no reason given' });
      }
      for (const suite of module.children.allSuites()) {
        failed += suite.errors().length; // a hook failed: its tests were skipped, which must not look well
      }
    }
    const outcome: Outcome = { passed, failed, skipped, complaints };
    const file = process.env.CARDWRIGHT_TEST_REPORT;
    if (file !== undefined) writeFileSync(file, JSON.stringify(outcome));
  }
}
