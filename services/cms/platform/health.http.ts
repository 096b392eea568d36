import { closed } from './schema.http.ts';
import type { App } from './server.http.ts';

export interface Readiness {
  /** Resolves when the part can be worked with. Bounded in time by its own client. */
  readonly parts: Readonly<Record<string, () => Promise<unknown>>>;
}

const PATIENCE_MILLIS = 3_000;

/** Live: this process answers. Ready: it has what it needs to do its work. Neither tells more than that to strangers. */
export function registerHealthRoutes(app: App, { parts }: Readiness): void {
  app.get('/health/live', { config: { permission: 'public' }, schema: { querystring: closed({}) } }, async () => ({
    status: 'live',
  }));

  app.get(
    '/health/ready',
    { config: { permission: 'public' }, schema: { querystring: closed({}) } },
    async (request, reply) => {
      const checked = await Promise.all(
        Object.entries(parts).map(async ([name, check]) => {
          try {
            await within(check(), PATIENCE_MILLIS);
            return [name, 'ready'] as const;
          } catch (error) {
            request.log.warn({ err: error, part: name }, 'not ready');
            return [name, 'unavailable'] as const;
          }
        }),
      );
      const ready = checked.every(([, state]) => state === 'ready');
      reply.code(ready ? 200 : 503).header('cache-control', 'no-store');
      return { status: ready ? 'ready' : 'unavailable', parts: Object.fromEntries(checked) };
    },
  );
}

async function within<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
