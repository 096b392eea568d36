import { execFileSync } from 'node:child_process';
import { inRepository } from '../repository/root.ts';

const INPUTS = 1_000_000;

/** A million damaged inputs, another seed each time, for every parser of what others may send. Gives a line to print. */
export function fuzzParsers(): string {
  const program = inRepository('agent', 'dist', 'testing', 'fuzz-program.js');
  return execFileSync(process.execPath, [program, String(INPUTS)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}
