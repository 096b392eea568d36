import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SetupError } from './report.mjs';

/** The repository: this file is infra/setup/command.mjs. */
export const root = join(fileURLToPath(import.meta.url), '..', '..', '..');

/** Runs a program to its end and gives its exit code and what it said. */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], ...options });
    let output = '';
    const collect = (chunk) => {
      output += chunk;
    };
    child.stdout?.setEncoding('utf8').on('data', collect); // null when the terminal is passed on
    child.stderr?.setEncoding('utf8').on('data', collect);
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, output }));
  });
}

/** As `run`; a failure is an error that shows the end of what the program said. */
export async function mustRun(command, args, options = {}) {
  const result = await run(command, args, options);
  if (result.code === 0) return result.output;
  const end = result.output.trimEnd().split('\n').slice(-40).join('\n');
  throw new SetupError(`${end}\n\n${command} ${args.join(' ')} failed (${result.signal ?? `code ${result.code}`}).`);
}

/** The path of a program of an installed package, run with this very Node. */
export function packageProgram(name, file) {
  return join(root, 'node_modules', name, file);
}
