import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Authorities } from './authorities/open.ts';
import { isSame, ocspHandler } from './ocsp/ocsp.http.ts';
import type { OcspResponder } from './ocsp/responder.ts';
import type { CrlPublisher } from './revocation/publish-crl.ts';

export interface PkiOptions {
  readonly authorities: Authorities;
  readonly crls: Readonly<Record<'root' | 'issuing', CrlPublisher>>;
  readonly responder: OcspResponder;
  readonly now: () => Date;
  /** Throws when the CA can't work. */
  readonly checkReady: () => Promise<void>;
  readonly logger: Logger;
}

/** Revocations are to be seen in CRLs within a minute: nobody may keep one longer without asking. */
const CRL_MAX_AGE_SECONDS = 30;
const CERTIFICATE_MAX_AGE_SECONDS = 86_400;
const REQUEST_MS = 10_000;
const KEEP_ALIVE_MS = 65_000;

/** What the world may read: certificates, CRLs, status. Nothing here needs a sign-in, and nothing changes anything. */
export function pkiServer(options: PkiOptions) {
  const ocsp = ocspHandler(options.responder);
  const server = Fastify({
    loggerInstance: options.logger,
    // Nothing here takes a body but OCSP, which has its own bound.
    bodyLimit: 1024,
    serverFactory: (handler) =>
      createServer(
        { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS, keepAliveTimeout: KEEP_ALIVE_MS },
        (request, reply) => {
          if (!ocsp(request, reply)) handler(request, reply);
        },
      ),
    // A URL that is none never reaches a route; it gets no more words than any other refusal.
    frameworkErrors: (_error, _request, reply: FastifyReply) => void reply.code(400).send(),
  });
  for (const name of ['root', 'issuing'] as const) {
    const { certificate } = options.authorities[name];
    const etag = `"${createHash('sha256').update(certificate).digest('base64url').slice(0, 22)}"`;
    server.get(`/pki/${name}.cer`, (request, reply) =>
      publish(request, reply, 'application/pkix-cert', certificate, etag, CERTIFICATE_MAX_AGE_SECONDS),
    );
    for (const file of options.crls[name].names()) {
      server.get(`/pki/${file}`, async (request, reply) => {
        const crl = options.crls[name].current(file);
        // An outdated CRL is worse than none: a client could take a revoked certificate for good.
        if (crl === null || crl.nextUpdate <= options.now()) return reply.code(503).send();
        reply.header('last-modified', crl.thisUpdate.toUTCString());
        return publish(request, reply, 'application/pkix-crl', crl.crl, crl.etag, CRL_MAX_AGE_SECONDS);
      });
    }
  }

  server.get('/health/live', async () => ({ live: true }));
  server.get('/health/ready', async (_request, reply) => {
    try {
      await options.checkReady();
      return { ready: true };
    } catch (error) {
      options.logger.warn({ err: error }, 'not ready');
      return reply.code(503).send({ ready: false });
    }
  });
  server.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) options.logger.error({ err: error }, 'a request failed');
    reply.code(status).send();
  });
  server.setNotFoundHandler((_request, reply) => reply.code(404).send());
  return server;
}

function publish(
  request: FastifyRequest,
  reply: FastifyReply,
  type: string,
  bytes: Buffer,
  etag: string,
  maxAgeSeconds: number,
): FastifyReply {
  reply.header('etag', etag).header('cache-control', `public, max-age=${maxAgeSeconds}`);
  if (isSame(request.headers['if-none-match'], etag)) return reply.code(304).send();
  return reply.type(type).send(bytes);
}
