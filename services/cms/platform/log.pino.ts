import { writeSync } from 'node:fs';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino';

/**
 * What may be in a log line is listed, not what may not: no body, no header, no query (a search names people), and the
 * route's pattern in place of its path. Redaction is the second net, for what an error brings along.
 */
export function createLogger(level: string): Logger {
  const options: LoggerOptions = {
    level,
    base: { service: 'cms' },
    redact: {
      paths: ['*.headers', '*.authorization', '*.cookie', '*.password', '*.token', '*.pin', '*.administratorKey'],
      censor: '[redacted]',
    },
    serializers: { req: () => undefined, res: () => undefined, err: describeError },
  };
  output ??= gatherLines();
  return pino(options, output);
}

let output: DestinationStream | undefined;

const MAX_WAITING_BYTES = 1024 * 1024;

/**
 * Standard output, one write for all lines of a turn of the event loop: under load a write for each costs more than
 * making the line. A process that ends by itself or by an error loses none; kill -9 loses at most those of its last turn.
 * Who did what is not here but in the audit log, which is written before anything is answered.
 */
function gatherLines(): DestinationStream {
  let lines = '';
  let rest = Buffer.alloc(0);
  let due = false;

  function flush(): void {
    due = false;
    rest = Buffer.concat([rest, Buffer.from(lines)]);
    lines = '';
    try {
      while (rest.length > 0) rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      const slowReader = (error as NodeJS.ErrnoException).code === 'EAGAIN' && rest.length < MAX_WAITING_BYTES;
      if (slowReader) {
        due = true;
        setTimeout(flush, 10);
      } else {
        // No space, no reader, or one that is far behind: a log that can't be written stops no request.
        rest = Buffer.alloc(0);
      }
    }
  }

  process.on('exit', flush);
  return {
    write(line) {
      lines += line;
      if (due) return;
      due = true;
      setImmediate(flush);
    },
  };
}

/** An error with its causes. Values that it carries in other properties (a query's parameters, for one) stay out. */
function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) };
  const { code } = error as { code?: unknown };
  return {
    type: error.name,
    message: error.message,
    stack: error.stack,
    ...(typeof code === 'string' ? { code } : {}),
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  };
}

export function logAnswer(request: FastifyRequest, reply: FastifyReply): void {
  request.log.info(
    {
      method: request.method,
      route: request.routeOptions.url ?? null,
      status: reply.statusCode,
      milliseconds: Math.round(reply.elapsedTime),
      actor: request.principal?.actor.id ?? null,
    },
    'answered',
  );
}
