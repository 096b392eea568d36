import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * A strong validator (RFC 9110 section 8.8.3) over the answer's own bytes: whatever the caller could see differently
 * makes it differ, what they may do with the object included.
 */
export async function giveEtag(request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
  if (request.routeOptions.config.etag !== true || reply.statusCode !== 200 || typeof payload !== 'string')
    return payload;
  const etag = `"${createHash('sha256').update(payload).digest('base64url').slice(0, 22)}"`;
  reply.header('etag', etag);
  const known = request.headers['if-none-match'];
  if (known === undefined) return payload;
  const matches = known.split(',').some((one) => one.trim().replace(/^W\//, '') === etag);
  if (!matches) return payload;
  reply.code(304).removeHeader('content-length');
  return '';
}
