import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Logger, pino } from 'pino';

/**
 * What may be in a log line is listed, not what may not: no body, no header, no query (a search names people), and the
 * route's pattern in place of its path. Redaction is the second net, for what an error brings along.
 */
export function createLogger(level: string): Logger {
  return pino({
    level,
    base: { service: 'cms' },
    redact: {
      paths: ['*.headers', '*.authorization', '*.cookie', '*.password', '*.token', '*.pin', '*.administratorKey'],
      censor: '[redacted]',
    },
    serializers: { req: () => undefined, res: () => undefined, err: describeError },
  });
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
