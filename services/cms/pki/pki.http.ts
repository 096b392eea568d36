import { DomainError } from '@cardwright/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Agent, request as fetchFromCa } from 'undici';
import type { App } from '../platform/server.http.ts';

/** What goes through, and nothing else: no cookie of ours reaches the CA, no header of its server reaches the caller. */
const TO_CA = ['accept', 'content-type', 'if-none-match', 'if-modified-since'];
const FROM_CA = ['content-type', 'cache-control', 'etag', 'last-modified', 'expires', 'date'];

/** An OCSP request has some hundred bytes; RFC 6960 allows many certificates in one. */
const REQUEST_LIMIT_BYTES = 16 * 1024;
/** A CRL of a million entries has about 40 MB. */
const ANSWER_LIMIT_BYTES = 64 * 1024 * 1024;

/**
 * Relying parties find the CA's certificates, CRLs and OCSP under the public address (the AIA and CDP in each
 * certificate name it); the CA itself listens inside only.
 */
export async function registerPkiRoutes(app: App, deps: { readonly caUrl: string }): Promise<void> {
  const agent = new Agent({ connections: 32, headersTimeout: 10_000, bodyTimeout: 10_000, connectTimeout: 3_000 });
  app.addHook('onClose', () => agent.close());

  await app.register(async (scope) => {
    // Only here, and only this: an OCSP request is DER, and is handed on as it is.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      'application/ocsp-request',
      { parseAs: 'buffer', bodyLimit: REQUEST_LIMIT_BYTES },
      async (_request: FastifyRequest, body: Buffer) => body,
    );
    const handler = (request: FastifyRequest, reply: FastifyReply) => forward(request, reply);
    scope.get('/pki/*', { config: { permission: 'public' } }, handler);
    scope.post('/pki/ocsp', { config: { permission: 'public' } }, handler);
  });

  async function forward(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const [path = ''] = request.url.split('?');
    // One or more plain segments; a GET of OCSP (RFC 6960 appendix A.1) has percent-encoded base64 as its last.
    if (!/^\/pki\/[A-Za-z0-9._~%+/=-]{1,2048}$/.test(path) || path.includes('..') || /%2e/i.test(path))
      throw notFound();
    const answer = await ask(request, path);
    if (answer.statusCode === 404) {
      await answer.body.dump();
      throw notFound();
    }
    reply.code(answer.statusCode);
    for (const name of FROM_CA) {
      const value = answer.headers[name];
      if (value !== undefined) reply.header(name, value);
    }
    const length = Number(answer.headers['content-length'] ?? 0);
    if (length > ANSWER_LIMIT_BYTES) {
      answer.body.destroy();
      throw unavailable(new Error(`the CA's answer has ${length} bytes`));
    }
    if (answer.headers['content-length'] !== undefined)
      reply.header('content-length', answer.headers['content-length']);
    return reply.send(answer.body);
  }

  async function ask(request: FastifyRequest, path: string) {
    const headers: Record<string, string> = {};
    for (const name of TO_CA) {
      const value = request.headers[name];
      if (typeof value === 'string') headers[name] = value;
    }
    const body = request.method === 'POST' && Buffer.isBuffer(request.body) ? request.body : null;
    try {
      return await fetchFromCa(new URL(path, deps.caUrl), {
        method: request.method === 'POST' ? 'POST' : 'GET',
        headers,
        body,
        dispatcher: agent,
      });
    } catch (error) {
      throw unavailable(error);
    }
  }
}

const notFound = () => new DomainError('not-found', 'not-found', 'The CA publishes nothing here.');
const unavailable = (cause: unknown) =>
  new DomainError('unavailable', 'ca-unavailable', 'The CA does not answer. Try again shortly.', {
    data: { gateway: true },
    cause,
  });
