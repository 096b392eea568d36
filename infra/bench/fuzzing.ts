import { execFileSync } from 'node:child_process';
import { inRepository } from '../repository/root.ts';

const INPUTS = 1_000_000;
/** For certificates, half of them with a good signature over what is damaged: a signature is made and checked for each. */
const REQUESTS = 200_000;

/** A million damaged inputs, another seed each time, for every parser of what others may send. Gives lines to print. */
export function fuzzParsers(): string {
  const programs = [
    { program: inRepository('agent', 'dist', 'testing', 'fuzz-program.js'), inputs: INPUTS },
    { program: inRepository('services', 'ca', 'dist', 'testing', 'fuzz-program.js'), inputs: REQUESTS },
    { program: inRepository('services', 'cms', 'dist', 'testing', 'fuzz-program.js'), inputs: REQUESTS },
  ];
  return programs
    .map(({ program, inputs }) =>
      execFileSync(process.execPath, [program, String(inputs)], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    )
    .join('');
}
