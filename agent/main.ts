import { appendFileSync, readFileSync } from 'node:fs';
import { systemContext } from './context.linux.ts';
import { faultPoints } from './faults.ts';
import { run } from './run.ts';

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

process.exitCode = await run(systemContext(env, point), {
  argv: process.argv.slice(2),
  version: packageVersion(),
  debug: env.CARDWRIGHT_DEBUG === '1',
});
// Standard input would keep the process waiting for lines that nobody asks for.
process.stdin.destroy();

function packageVersion(): string {
  const about: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return typeof about === 'object' && about !== null && 'version' in about ? String(about.version) : 'unknown';
}
