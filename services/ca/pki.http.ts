import { createHash } from 'node:crypto';
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Authorities } from './authorities/open.ts';
import { OCSP_BOUNDS } from './ocsp/request.ts';
import type { OcspResponder } from './ocsp/responder.ts';
import { failedResponse } from './ocsp/response.ts';
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
/** A request in base64, percent-encoded at its worst. */
const MAX_GET_CHARACTERS = 4096;

/** What the world may read: certificates, CRLs, status. Nothing here needs a sign-in, and nothing changes anything. */
export function pkiServer(options: PkiOptions) {
  const server = Fastify({
    loggerInstance: options.logger,
    bodyLimit: OCSP_BOUNDS.maxBytes,
    requestTimeout: 10_000,
    // A URL that is none never reaches a route; it gets no more words than any other refusal.
    frameworkErrors: (_error, _request, reply: FastifyReply) => void reply.code(400).send(),
    routerOptions: { maxParamLength: MAX_GET_CHARACTERS },
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

  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/ocsp-request', { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body);
  });
  server.post('/pki/ocsp', async ({ body }, reply) =>
    ocsp(reply, body instanceof Buffer ? await options.responder.respond(body) : failedResponse('malformedRequest')),
  );
  // RFC 6960 appendix A.1: base64 in the path. Clients differ in whether they percent-encode its slashes.
  server.get('/pki/ocsp/*', async (request, reply) => {
    const der = fromPath(request.raw.url ?? '');
    return ocsp(reply, der === null ? failedResponse('malformedRequest') : await options.responder.respond(der));
  });

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
  if (matches(request.headers['if-none-match'], etag)) return reply.code(304).send();
  return reply.type(type).send(bytes);
}

/** Weak comparison, RFC 9110 13.1.2. */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.trim() === '*' || header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
}

/** Not to be kept by caches in between: revoked must show at once. */
function ocsp(reply: FastifyReply, response: Buffer): FastifyReply {
  return reply.header('cache-control', 'no-store').type('application/ocsp-response').send(response);
}

/** @returns null when it is no base64 of reasonable length. */
function fromPath(url: string): Buffer | null {
  const encoded = url.split('?', 1)[0]?.slice('/pki/ocsp/'.length) ?? '';
  if (encoded.length === 0 || encoded.length > MAX_GET_CHARACTERS) return null;
  try {
    const base64 = decodeURIComponent(encoded);
    return /^[A-Za-z0-9+/]+={0,2}$/.test(base64) ? Buffer.from(base64, 'base64') : null;
  } catch {
    return null;
  }
}
