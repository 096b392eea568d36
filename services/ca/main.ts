/** The embedded CA as a process of its own. Configuration: see config.ts. Ends with 1 when it can't start. */
import { isDomainError } from '@cardwright/protocol';
import { pino } from 'pino';
import { readConfig } from './config.ts';
import { startCa } from './wire.ts';

// Nothing that this process makes is for others to read.
process.umask(0o077);
const logger = pino({ name: 'ca', level: process.env.LOG_LEVEL || 'info' });

try {
  const ca = await startCa(readConfig(process.env), logger);
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
