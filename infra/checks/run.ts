import { checkContract } from './contract.ts';
import { checkImages } from './images.ts';
import { checkImports } from './imports.ts';
import { checkLint } from './lint.ts';
import { failed, lastLine, type Outcome, PASSED, sum } from './outcome.ts';
import { checkSchema } from './schema.ts';
import { checkSourceFiles } from './source-files.ts';
import { runPlaywright, runVitest } from './suites.ts';

interface Group {
  readonly name: string;
  readonly run: () => Promise<Outcome>;
}

/** Everything after the compiler, quick ones first. `npm test -- NAME …` runs only those named. */
const GROUPS: readonly Group[] = [
  { name: 'lint', run: checkLint },
  { name: 'imports', run: checkImports },
  { name: 'sources', run: checkSourceFiles },
  { name: 'contract', run: checkContract },
  { name: 'schema', run: checkSchema },
  { name: 'images', run: checkImages },
  { name: 'unit', run: () => runVitest(['unit']) },
  { name: 'integration', run: () => runVitest(['integration']) },
  { name: 'faults', run: () => runVitest(['faults']) },
  { name: 'e2e', run: runPlaywright },
];

/**
 * `npm test`, after the set-up. `compilerComplaints` is what tsc said, null when nothing. Ends with the one line that
 * sums up everything; gives the exit code.
 */
export async function runChecks(compilerComplaints: string | null, only: readonly string[]): Promise<number> {
  const unknown = only.filter((name) => !GROUPS.some((group) => group.name === name));
  if (unknown.length > 0) {
    const names = GROUPS.map(({ name }) => name).join(', ');
    process.stderr.write(`There is no group of tests called ${unknown.join(', ')}. There are: ${names}\n`);
    return 2;
  }
  const outcomes: Outcome[] = [];
  const tell = (name: string, outcome: Outcome, started: number) => {
    outcomes.push(outcome);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    const verdict = outcome.failed === 0 ? 'ok  ' : 'FAIL';
    process.stdout.write(`${verdict} ${name.padEnd(12)} ${lastLine(outcome)} (${seconds} s)\n`);
    for (const complaint of outcome.complaints) process.stdout.write(`${indent(complaint)}\n`);
  };
  tell('types', compilerComplaints === null ? PASSED : failed(compilerComplaints), performance.now());
  for (const { name, run } of GROUPS.filter((group) => only.length === 0 || only.includes(group.name))) {
    const started = performance.now();
    tell(name, await run().catch((error: Error) => failed(error.stack ?? error.message)), started);
  }
  const total = sum(outcomes);
  for (const { test, why } of total.skipped) process.stdout.write(`skipped: ${test} (${why})\n`);
  process.stdout.write(`\n${lastLine(total)}\n`);
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `     ${line}`)
    .join('\n');
}
