import { createHash } from 'node:crypto';
import { DomainError } from '@cardwright/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** What is known of a key that was used before. */
export type KeyState =
  | { readonly kind: 'new' }
  | { readonly kind: 'reused-otherwise' }
  | { readonly kind: 'under-way' }
  | { readonly kind: 'unknown-outcome' }
  | { readonly kind: 'answered'; readonly status: number; readonly body: unknown }
  | { readonly kind: 'shown-once' };

/** Port: keys of one caller, kept 24 hours. */
export interface IdempotencyKeys {
  begin(key: { actorId: string; key: string; operation: string; bodyHash: Uint8Array }): Promise<KeyState>;
  /** `answer` null where it held a secret. */
  finish(key: { actorId: string; key: string }, status: number, answer: { body: unknown } | null): Promise<void>;
  /** The request was refused and changed nothing: the key may be used again. */
  forget(key: { actorId: string; key: string }): Promise<void>;
}

declare module 'fastify' {
  interface FastifyRequest {
    idempotency: { actorId: string; key: string } | null;
  }
}

const REFUSALS = {
  'reused-otherwise': new DomainError(
    'unprocessable',
    'idempotency-key-reused',
    'This Idempotency-Key was sent before with another request. Make a new key for each new request.',
  ),
  'under-way': new DomainError(
    'conflict',
    'idempotency-key-under-way',
    'The first request with this Idempotency-Key is still under way. Ask again in a moment.',
  ),
  'unknown-outcome': new DomainError(
    'conflict',
    'idempotency-outcome-unknown',
    'The first request with this Idempotency-Key did not end as it should. Look at what it was to change, then send a new key.',
  ),
  'shown-once': new DomainError(
    'conflict',
    'answer-shown-once',
    'The first request with this Idempotency-Key was done, and its answer held a secret that is shown once and not stored. Cancel what it made and begin again with a new key.',
  ),
} as const;

/** Runs when the body is known to be right. Answers by itself when the same request was answered before. */
export function beginIdempotent(keys: IdempotencyKeys) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const key = request.headers['idempotency-key'];
    if (key === undefined || request.method !== 'POST' || request.principal === null) return undefined;
    if (typeof key !== 'string' || !/^[\x21-\x7e]{1,200}$/.test(key)) {
      const detail = 'Idempotency-Key is 1 to 200 visible ASCII characters, for example a UUID.';
      throw new DomainError('invalid', 'field-invalid', detail, {
        fields: [{ pointer: '/headers/idempotency-key', detail }],
      });
    }
    const actorId = request.principal.actor.id;
    const operation = `${request.method} ${request.url}`;
    const bodyHash = createHash('sha256')
      .update(JSON.stringify(request.body ?? null))
      .digest();
    const state = await keys.begin({ actorId, key, operation, bodyHash });
    if (state.kind === 'new') {
      request.idempotency = { actorId, key };
      return undefined;
    }
    if (state.kind !== 'answered') throw REFUSALS[state.kind];
    reply.code(state.status).header('idempotency-replayed', 'true');
    // The stored answer has been through the serializer once: it goes out as it is.
    if (state.body === null) return reply.send();
    return reply
      .header('content-type', 'application/json; charset=utf-8')
      .serializer(String)
      .send(JSON.stringify(state.body));
  };
}

/** Runs before the answer leaves: it is stored first, so that a lost answer can be asked for again. */
export function endIdempotent(keys: IdempotencyKeys) {
  return async (request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> => {
    const used = request.idempotency;
    if (used === null) return payload;
    request.idempotency = null;
    const { statusCode } = reply;
    if (statusCode < 300) {
      const secret = request.routeOptions.config.secretAnswer === true;
      const body: unknown = typeof payload === 'string' && payload !== '' ? JSON.parse(payload) : null;
      await keys.finish(used, statusCode, secret ? null : { body });
    } else if (statusCode !== 500) {
      await keys.forget(used);
    }
    // After a 500 nobody knows what was done: the key stays as it is, and a repeat says so.
    return payload;
  };
}
