import { createHash } from 'node:crypto';
import { DomainError } from '@cardwright/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ExpectedVersion } from '../kernel/expected-version.ts';

/**
 * The validator of an object that is changed by PUT or PATCH begins with its version, which a change names by If-Match.
 * Of what is read, a digest of the answer follows it.
 */
export function giveVersion(reply: FastifyReply, version: number): void {
  reply.header('etag', `"${version}"`);
}

/**
 * Which versions the caller means to change (RFC 9110 section 13.1.1): those of If-Match, or any for `*`. A weak tag, or
 * one that was never ours, is of no version.
 * @throws DomainError `etag-required` (precondition-required).
 */
export function versionToChange(request: FastifyRequest): ExpectedVersion {
  const header = request.headers['if-match'];
  if (header === undefined) {
    const detail =
      'Send the ETag of what you read as If-Match, so that nobody overwrites what another has just changed.';
    throw new DomainError('precondition-required', 'etag-required', detail);
  }
  if (header.trim() === '*') return () => true;
  const versions = header.split(',').map((tag) => /^"(\d{1,9})(?:-[\w-]{22})?"$/.exec(tag.trim())?.[1]);
  return (version) => versions.includes(String(version));
}

/**
 * A strong validator (RFC 9110 section 8.8.3) over the answer's own bytes: whatever the caller could see differently
 * makes it differ, what they may do with the object included.
 */
export async function giveEtag(request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
  if (request.routeOptions.config.etag !== true || reply.statusCode !== 200 || typeof payload !== 'string')
    return payload;
  const digest = createHash('sha256').update(payload).digest('base64url').slice(0, 22);
  const version = /^"(\d+)"$/.exec(String(reply.getHeader('etag') ?? ''))?.[1];
  const etag = version === undefined ? `"${digest}"` : `"${version}-${digest}"`;
  reply.header('etag', etag);
  const known = request.headers['if-none-match'];
  if (known === undefined) return payload;
  const matches = known.split(',').some((one) => one.trim().replace(/^W\//, '') === etag);
  if (!matches) return payload;
  reply.code(304).removeHeader('content-length');
  return '';
}
