import { appendFileSync } from 'node:fs';
import { systemContext } from './context.linux.ts';
import { faultPoints } from './faults.ts';
import { run } from './run.ts';
import { VERSION } from './version.ts';

const { env } = process;
const trace = env.CARDWRIGHT_FAULT_TRACE;
const point = faultPoints({
  at: env.CARDWRIGHT_FAULT_AT,
  trace: trace === undefined ? undefined : (name) => appendFileSync(trace, `${name}\n`),
  die: () => process.kill(process.pid, 'SIGKILL'),
});

// A reader of our output that left (`| head`) is no error of ours.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

// No await at the top: the agent in one file is a script, not a module.
run(systemContext(env, point), {
  argv: process.argv.slice(2),
  version: VERSION,
  debug: env.CARDWRIGHT_DEBUG === '1',
}).then((exitCode) => {
  process.exitCode = exitCode;
  // Standard input would keep the process waiting for lines that nobody asks for.
  process.stdin.destroy();
});
