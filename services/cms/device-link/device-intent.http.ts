import { DomainError } from '@cardwright/protocol';
import type { FastifyRequest } from 'fastify';
import type { Actor, Intent } from '../kernel/actor.ts';
import { callerOf } from '../platform/authentication.http.ts';

/** What a device asks for itself. Routes that use it declare the permission `device`, which lets nobody else in. */
export function deviceIntentOf(
  request: FastifyRequest,
): Intent & { readonly actor: Extract<Actor, { kind: 'device' }> } {
  const { actor } = callerOf(request);
  if (actor.kind !== 'device') {
    throw new DomainError('forbidden', 'permission-missing', 'This operation is for enrolled devices.');
  }
  return { actor, requestId: request.id };
}
