/** The embedded CA as a process of its own, and its commands. Configuration: see config.ts. Ends with 1 when it can't start. */
import { appendFileSync } from 'node:fs';
import { isDomainError } from '@cardwright/protocol';
import { pino } from 'pino';
import { isCommand, runCommand, USAGE } from './authorities/offline/commands.cli.ts';
import { readConfig } from './config.ts';
import { faultPoints } from './faults.ts';
import { startCa } from './wire.ts';

// Nothing that this process makes is for others to read.
process.umask(0o077);
const [command, ...rest] = process.argv.slice(2);
if (isCommand(command)) process.exit(await runCommand(command, rest, process.env));
if (command !== undefined) {
  process.stderr.write(`${USAGE}\n`);
  process.exit(2);
}
const logger = pino({ name: 'ca', level: process.env.LOG_LEVEL || 'info' });

try {
  const { CA_FAULT_AT: at, CA_FAULT_TRACE: traceFile } = process.env;
  const trace = traceFile === undefined ? null : (name: string) => appendFileSync(traceFile, `${name}\n`);
  const fault = faultPoints(at, trace, () => process.kill(process.pid, 'SIGKILL'));
  const ca = await startCa(readConfig(process.env), logger, fault);
  logger.info({ httpPort: ca.httpPort }, 'ca is ready');
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      logger.info({ signal }, 'ca is closing');
      void ca.close().then(() => process.exit(0));
    });
  }
} catch (error) {
  if (isDomainError(error)) logger.fatal({ code: error.code }, error.detail);
  else logger.fatal({ err: error }, 'ca could not start');
  process.exitCode = 1;
}
