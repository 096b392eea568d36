import { setTimeout as sleep } from 'node:timers/promises';
import { readConfig } from './config.ts';
import { withLock } from './sweep/lock.pg.ts';
import { remaindersOf } from './sweep/remainders.ts';
import { sweep } from './sweep/sweep.ts';
import { wire } from './wire.ts';

/** Entry: completes what crashes and outages left half done, and forgets what has had its time. Any number may run. */
const EVERY_MILLIS = 2_000;

const parts = wire(readConfig(process.env));
const { logger, database } = parts;
const stop = new AbortController();

function die(error: unknown): never {
  logger.fatal({ err: error }, 'the worker failed');
  process.exit(1);
}
process.on('uncaughtException', die);
process.on('unhandledRejection', die);
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort());

let ready = false;
while (!stop.signal.aborted) {
  try {
    await database.ready();
    if (!ready) logger.info('the worker is ready');
    ready = true;
    const done = await withLock(database.pool, () =>
      sweep({
        ...remaindersOf(parts),
        runtime: parts.runtime,
        onError: (error, name, id) =>
          logger.warn({ err: error, name, id }, 'could not be completed; it is tried again'),
        stopping: () => stop.signal.aborted,
      }),
    );
    if (done !== null && Object.keys(done).length > 0) logger.info({ done }, 'completed what was left over');
  } catch (error) {
    logger.warn({ err: error }, 'a round failed; the next one follows');
  }
  await sleep(EVERY_MILLIS, undefined, { signal: stop.signal }).catch(() => undefined);
}
await parts.close();
logger.info('the worker ends');
process.exit(0);
