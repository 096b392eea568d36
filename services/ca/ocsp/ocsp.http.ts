import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { OCSP_BOUNDS } from './request.ts';
import type { OcspResponder, OcspResult } from './responder.ts';
import { failedResponse } from './response.ts';

/** A request in base64, percent-encoded at its worst. */
const MAX_GET_CHARACTERS = 4096;
const PATH = '/pki/ocsp';
const MALFORMED: OcspResult = { response: failedResponse('malformedRequest'), producedAt: null };

/**
 * OCSP over HTTP (RFC 6960 appendix A, RFC 5019 5 and 6), straight on node's server: a framework's route costs more than
 * everything that an answer from the kept ones does. @returns false for what is not ours to answer.
 */
export function ocspHandler(responder: OcspResponder) {
  return (request: IncomingMessage, reply: ServerResponse): boolean => {
    const url = request.url ?? '';
    if (!url.startsWith(PATH) || (url.length > PATH.length && !'/?'.includes(url.charAt(PATH.length)))) return false;
    if (request.method === 'POST') {
      post(responder, request, reply);
      return true;
    }
    if ((request.method === 'GET' || request.method === 'HEAD') && url.startsWith(`${PATH}/`)) {
      get(responder, request, reply, url);
      return true;
    }
    refuse(reply, url.startsWith(`${PATH}/`) ? 404 : 405);
    return true;
  };
}

function post(responder: OcspResponder, request: IncomingMessage, reply: ServerResponse): void {
  const type = request.headers['content-type'];
  if (type !== 'application/ocsp-request' && !/^application\/ocsp-request\s*(;|$)/i.test(type ?? '')) {
    refuse(reply, 415);
    return;
  }
  const parts: Buffer[] = [];
  let length = 0;
  request.on('data', (part: Buffer) => {
    length += part.length;
    if (length <= OCSP_BOUNDS.maxBytes) parts.push(part);
    else if (!reply.headersSent) refuse(reply, 413);
  });
  request.on('end', () => {
    if (reply.headersSent) return;
    const [only] = parts;
    const der = parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
    const kept = responder.kept(der);
    if (kept !== null) answer(reply, kept.response);
    else void responder.respond(der).then(({ response }) => answer(reply, response));
  });
}

/** Nobody in between may keep the answer to a POST. */
function answer(reply: ServerResponse, response: Buffer): void {
  reply.writeHead(200, [
    'Content-Type',
    'application/ocsp-response',
    'Content-Length',
    String(response.length),
    'Cache-Control',
    'no-store',
  ]);
  reply.end(response);
}

/**
 * RFC 5019 6.2 has caches keep an answer until shortly before its nextUpdate. Ours is to show a revocation within a second,
 * so they may keep it and must ask each time (max-age=0) whether it is still the same, which costs them no body.
 */
function get(responder: OcspResponder, request: IncomingMessage, reply: ServerResponse, url: string): void {
  const der = fromPath(url);
  const kept = der === null ? null : responder.kept(der);
  if (kept !== null) {
    answerGet(request, reply, kept);
    return;
  }
  const result = der === null ? Promise.resolve(MALFORMED) : responder.respond(der);
  void result.then((made) =>
    made.producedAt === null ? answer(reply, made.response) : answerGet(request, reply, made),
  );
}

function answerGet(
  request: IncomingMessage,
  reply: ServerResponse,
  { response, producedAt }: { readonly response: Buffer; readonly producedAt: Date },
): void {
  const etag = `"${createHash('sha256').update(response).digest('base64url').slice(0, 22)}"`;
  reply.setHeader('Cache-Control', 'public, max-age=0, must-revalidate, no-transform');
  reply.setHeader('ETag', etag);
  reply.setHeader('Last-Modified', producedAt.toUTCString());
  if (isSame(request.headers['if-none-match'], etag)) {
    reply.writeHead(304).end();
    return;
  }
  reply.setHeader('Content-Type', 'application/ocsp-response');
  reply.setHeader('Content-Length', response.length);
  reply.end(response);
}

/** Weak comparison, RFC 9110 13.1.2. */
export function isSame(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.trim() === '*' || header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
}

function refuse(reply: ServerResponse, status: number): void {
  if (status === 405) reply.setHeader('Allow', 'GET, HEAD, POST');
  // What is still to come is not read.
  if (status === 413 || status === 415) reply.setHeader('Connection', 'close');
  reply.writeHead(status, { 'Content-Length': 0 }).end();
}

/**
 * RFC 6960 appendix A.1: base64 in the path. Clients differ in whether they percent-encode its slashes.
 * @returns null when it is no base64 of reasonable length.
 */
function fromPath(url: string): Buffer | null {
  const encoded = url.split('?', 1)[0]?.slice(PATH.length + 1) ?? '';
  if (encoded.length === 0 || encoded.length > MAX_GET_CHARACTERS) return null;
  try {
    const base64 = decodeURIComponent(encoded);
    return /^[A-Za-z0-9+/]+={0,2}$/.test(base64) ? Buffer.from(base64, 'base64') : null;
  } catch {
    return null;
  }
}
