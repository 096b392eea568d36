import { DomainError } from '@cardwright/protocol';
import cookie from '@fastify/cookie';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import underPressure from '@fastify/under-pressure';
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
  type RawReplyDefaultExpression,
  type RawRequestDefaultExpression,
  type RawServerDefault,
} from 'fastify';
import type { TSchema } from 'typebox';
import type { RefusalTrail } from '../kernel/audit-entry.ts';
import type { Runtime } from '../kernel/runtime.ts';
import { type Credentials, createAuthentication } from './authentication.http.ts';
import { giveEtag } from './etag.http.ts';
import { beginIdempotent, endIdempotent, type IdempotencyKeys } from './idempotency.http.ts';
import { logAnswer } from './log.pino.ts';
import { openApiOptions } from './openapi.http.ts';
import { problemOf, toDomainError } from './problem.http.ts';
import { recordRefusal } from './refusal.http.ts';
import { demandDeclaration } from './route-config.http.ts';
import { closed, sharedComponents } from './schema.http.ts';
import { securityHeaders } from './security-headers.ts';
import { buildValidator } from './validator.http.ts';

export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

export interface ServerOptions {
  readonly logger: FastifyBaseLogger;
  readonly runtime: Runtime;
  readonly credentials: Credentials;
  readonly idempotencyKeys: IdempotencyKeys;
  readonly refusals: RefusalTrail;
  readonly publicUrl: string;
  readonly cookieSecure: boolean;
  /** Requests a minute from one address, all routes together. Each process counts for itself. */
  readonly requestsPerMinute: number;
  /** Addresses of reverse proxies whose X-Forwarded-For is believed. None: the header is ignored. */
  readonly trustedProxies: readonly string[];
  /** Named components of the capabilities. */
  readonly components: readonly TSchema[];
}

const BODY_LIMIT_BYTES = 64 * 1024;
/** How far somebody may go is not told to who tries. */
const NO_LIMIT_HEADERS = { 'x-ratelimit-limit': false, 'x-ratelimit-remaining': false, 'x-ratelimit-reset': false };

/** The server without routes. Whatever is registered on it afterwards must declare itself: see route-config.http.ts. */
export async function createServer(options: ServerOptions): Promise<App> {
  const app: App = fastify({
    loggerInstance: options.logger,
    // One line an answer, by logAnswer.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => options.runtime.newId(),
    requestIdHeader: false,
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: 30_000,
    connectionTimeout: 60_000,
    keepAliveTimeout: 65_000,
    trustProxy: options.trustedProxies.length === 0 ? false : [...options.trustedProxies],
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 2048, caseSensitive: true },
    schemaController: { compilersFactory: { buildValidator } },
    // A broken URL never reaches a route or a hook.
    frameworkErrors: (error, request, reply) => {
      sendProblem(reply, toDomainError(error), request.id);
    },
  }).withTypeProvider<TypeBoxTypeProvider>();

  app.removeContentTypeParser('text/plain');
  for (const component of [...sharedComponents, ...options.components]) app.addSchema(component);

  app.decorateRequest('principal', null);
  app.decorateRequest('idempotency', null);
  app.setErrorHandler((error, request, reply) => answerError(options.refusals, error, request, reply));
  app.setNotFoundHandler((request) => {
    throw new DomainError('not-found', 'not-found', `There is no ${request.method} operation here.`);
  });

  app.addHook('onRoute', (route) => {
    demandDeclaration(route);
    const perMinute = route.config?.perMinute;
    if (perMinute !== undefined) route.config = { ...route.config, rateLimit: { max: perMinute, timeWindow: 60_000 } };
    if (!route.url.startsWith('/api/')) return;
    // Unknown query parameters are refused everywhere, also where a route takes none.
    route.schema = { querystring: closed({}), ...route.schema };
  });
  await app.register(swagger, openApiOptions);
  await app.register(cookie);
  const headers = securityHeaders(options.cookieSecure);
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(headers);
    done();
  });
  await app.register(underPressure, { maxEventLoopDelay: 2_500, sampleInterval: 1_000, retryAfter: 10 });
  await app.register(rateLimit, {
    max: options.requestsPerMinute,
    timeWindow: 60_000,
    cache: 20_000,
    addHeadersOnExceeding: NO_LIMIT_HEADERS,
    addHeaders: { ...NO_LIMIT_HEADERS, 'retry-after': true },
    errorResponseBuilder: (_request, context) =>
      new DomainError('too-many', 'rate-limited', 'Too many requests from this address. Wait, then try again.', {
        data: { retryAfterSeconds: Math.ceil(context.ttl / 1000) },
      }),
  });

  const authenticate = createAuthentication(options);
  // After the limits, which the plugin above puts on each route: a flood is turned away before it costs a look-up.
  app.addHook('onRoute', (route) => {
    route.onRequest = [...[route.onRequest ?? []].flat(), authenticate];
  });
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    if (request.url.startsWith('/api/')) reply.header('cache-control', 'no-store');
  });
  app.addHook('preHandler', beginIdempotent(options.idempotencyKeys));
  app.addHook('onSend', endIdempotent(options.idempotencyKeys));
  app.addHook('onSend', giveEtag);
  app.addHook('onResponse', async (request, reply) => logAnswer(request, reply));
  return app;
}

async function answerError(
  refusals: RefusalTrail,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const known = toDomainError(error);
  if (known.kind === 'internal') request.log.error({ err: known }, 'a request failed');
  else if (known.kind === 'unavailable') request.log.warn({ err: known }, 'a system that is needed does not answer');
  try {
    await recordRefusal(refusals, request, known);
  } catch (failure) {
    // The refusal stands whether or not it could be recorded; that it could not be is not kept quiet.
    request.log.error({ err: failure, code: known.code }, 'a refusal could not be recorded in the audit log');
  }
  return sendProblem(reply, known, request.id);
}

function sendProblem(reply: FastifyReply, error: DomainError, requestId: string): FastifyReply {
  const problem = problemOf(error, requestId);
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer realm="cardwright"');
  const wait = error.data?.retryAfterSeconds;
  if (typeof wait === 'number') reply.header('retry-after', String(wait));
  // Returned, so that an async handler is not taken to be done before the hooks of sending are.
  return (
    reply
      .code(problem.status)
      .header('cache-control', 'no-store')
      .header('content-type', 'application/problem+json; charset=utf-8')
      // Not through the route's response schema: a problem has one shape everywhere.
      .serializer(String)
      .send(JSON.stringify(problem))
  );
}
