import { DomainError } from '@cardwright/protocol';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { CardId, UnblockSessionId } from '../kernel/ids.ts';
import type { Principal } from '../kernel/permission.ts';
import { callerOf, intentOf } from '../platform/authentication.http.ts';
import { decodeCursor, limitOf, type PageRequest, pageOf, UUID_KEY } from '../platform/cursor.ts';
import { closed, id, line, oneOf, Problem, paging, reason, ref, ticket } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import { type AnswerDependencies, answerChallenge } from './answer-challenge.ts';
import { approveRequest, refuseSession } from './decide-request.ts';
import { openSession } from './open-session.ts';
import type { OperatorIntent, SessionFilters } from './ports.ts';
import { type OutcomeDependencies, reportOutcome } from './report-outcome.ts';
import { sessionNotFound } from './session.ts';
import {
  AnswerSchema,
  SESSION_STATES,
  SessionList,
  SessionSchema,
  toBody,
  VerificationSchema,
} from './session-schema.http.ts';

export const unblockComponents = [SessionSchema, SessionList, AnswerSchema];

export type UnblockDependencies = AnswerDependencies & OutcomeDependencies;

/** Longer than any challenge as typed; what it must be exactly, the card's record says. */
const MAX_CHALLENGE = 400;
const verificationExample = { method: 'call-back', evidence: 'Called back on the number on record' };

export function registerUnblockRoutes(app: App, deps: UnblockDependencies): void {
  const cardParams = closed({ cardId: id<CardId>() });
  const params = closed({ unblockSessionId: id<UnblockSessionId>() });
  const created = { 201: ref(SessionSchema), default: ref(Problem) };

  async function shown(sessionId: string, { permissions }: Principal) {
    const found = await deps.sessions.find(sessionId);
    if (found === null) throw sessionNotFound();
    return toBody(found, deps.runtime.now(), permissions);
  }

  async function list(filters: SessionFilters, query: PageRequest, { permissions }: Principal) {
    const limit = limitOf(query);
    const now = deps.runtime.now();
    const rows = await deps.sessions.list(filters, now, decodeCursor(query.cursor, UUID_KEY), limit + 1);
    return pageOf(
      rows,
      limit,
      (row) => row.session.id,
      (row) => toBody(row, now, permissions),
    );
  }

  app.post(
    '/api/v1/cards/:cardId/unblock-sessions',
    {
      config: { permission: 'unblock:perform', act: 'unblock.opened' },
      schema: {
        operationId: 'openUnblockSession',
        summary: 'A caller was identified, and is to get one response for this card.',
        tags: ['unblock'],
        params: cardParams,
        body: closed(
          { verification: VerificationSchema, reason, ticket: Type.Optional(ticket) },
          { examples: [{ verification: verificationExample, reason: 'Forgot the PIN', ticket: 'INC-20417' }] },
        ),
        response: created,
      },
    },
    async (request, reply) => {
      const { verification, ...why } = request.body;
      const sessionId = await openSession(deps, operatorIntentOf(request, why), request.params.cardId, verification);
      return reply.code(201).send(await shown(sessionId, callerOf(request)));
    },
  );

  app.get(
    '/api/v1/cards/:cardId/unblock-sessions',
    {
      config: { permission: 'unblock:read' },
      schema: {
        operationId: 'listCardUnblockSessions',
        summary: "A card's unblock sessions, newest first.",
        tags: ['unblock'],
        params: cardParams,
        querystring: closed(paging),
        response: { 200: ref(SessionList), default: ref(Problem) },
      },
    },
    async (request) => list({ cardId: request.params.cardId }, request.query, callerOf(request)),
  );

  app.get(
    '/api/v1/unblock-sessions',
    {
      config: { permission: 'unblock:read' },
      schema: {
        operationId: 'listUnblockSessions',
        summary: 'Unblock sessions, newest first; `requested` are those that wait for an operator.',
        tags: ['unblock'],
        querystring: closed({ state: Type.Optional(oneOf(SESSION_STATES)), ...paging }),
        response: { 200: ref(SessionList), default: ref(Problem) },
      },
    },
    async (request) => list({ state: request.query.state }, request.query, callerOf(request)),
  );

  app.get(
    '/api/v1/unblock-sessions/:unblockSessionId',
    {
      config: { permission: 'unblock:read', etag: true },
      schema: {
        operationId: 'getUnblockSession',
        summary: 'One unblock session. A response is never shown again.',
        tags: ['unblock'],
        params,
        response: { 200: ref(SessionSchema), default: ref(Problem) },
      },
    },
    async (request) => shown(request.params.unblockSessionId, callerOf(request)),
  );

  app.post(
    '/api/v1/unblock-sessions/:unblockSessionId/responses',
    {
      config: { permission: 'unblock:perform', act: 'unblock.answered', secretAnswer: true },
      schema: {
        operationId: 'answerChallenge',
        summary: 'The response to the challenge that the caller read out. Once a session, and once a challenge.',
        tags: ['unblock'],
        params,
        body: closed(
          { challenge: Type.String({ minLength: 1, maxLength: MAX_CHALLENGE, description: 'Any case and spacing.' }) },
          { examples: [{ challenge: '1603 EBDF 1C8A 2E72' }] },
        ),
        response: { 201: ref(AnswerSchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const { unblockSessionId } = request.params;
      const answer = await answerChallenge(deps, operatorIntentOf(request), unblockSessionId, request.body.challenge);
      const { lines, expiresAt } = answer;
      return reply
        .code(201)
        .send({ response: lines.join('\n'), lines: [...lines], expiresAt: expiresAt.toISOString() });
    },
  );

  app.post(
    '/api/v1/unblock-sessions/:unblockSessionId/approvals',
    {
      config: { permission: 'unblock:perform', act: 'unblock.approved', perMinute: 120 },
      schema: {
        operationId: 'approveUnblock',
        summary: 'Approve what a device asked for itself. The response goes to the device alone.',
        tags: ['unblock'],
        params,
        body: closed(
          {
            confirmationCode: line(20, { description: 'As the person at the device reads it out.' }),
            verification: VerificationSchema,
            reason,
            ticket: Type.Optional(ticket),
          },
          { examples: [{ confirmationCode: '482913', verification: verificationExample, reason: 'Forgot the PIN' }] },
        ),
        response: created,
      },
    },
    async (request, reply) => {
      const { unblockSessionId } = request.params;
      await approveRequest(deps, operatorIntentOf(request, request.body), unblockSessionId, request.body);
      return reply.code(201).send(await shown(unblockSessionId, callerOf(request)));
    },
  );

  app.post(
    '/api/v1/unblock-sessions/:unblockSessionId/refusals',
    {
      config: { permission: 'unblock:perform', act: 'unblock.refused' },
      schema: {
        operationId: 'refuseUnblock',
        summary: 'End a session without a response.',
        tags: ['unblock'],
        params,
        body: closed({ reason }, { examples: [{ reason: 'Caller could not be identified' }] }),
        response: created,
      },
    },
    async (request, reply) => {
      const { unblockSessionId } = request.params;
      await refuseSession(deps, operatorIntentOf(request, request.body), unblockSessionId);
      return reply.code(201).send(await shown(unblockSessionId, callerOf(request)));
    },
  );

  app.post(
    '/api/v1/unblock-sessions/:unblockSessionId/outcome',
    {
      config: { permission: 'unblock:perform', act: 'unblock.outcome-reported' },
      schema: {
        operationId: 'reportUnblockOutcome',
        summary: 'Say whether the response worked. Closes the session.',
        tags: ['unblock'],
        params,
        body: closed(
          { outcome: oneOf(['worked', 'failed']), note: Type.Optional(line(500)) },
          { examples: [{ outcome: 'worked' }] },
        ),
        response: created,
      },
    },
    async (request, reply) => {
      const { unblockSessionId } = request.params;
      const { outcome, note } = request.body;
      await reportOutcome(deps, operatorIntentOf(request, { reason: note }), unblockSessionId, outcome);
      return reply.code(201).send(await shown(unblockSessionId, callerOf(request)));
    },
  );
}

function operatorIntentOf(
  request: FastifyRequest,
  why: { reason?: string | undefined; ticket?: string | undefined } = {},
): OperatorIntent {
  const { actor, ...intent } = intentOf(request, why);
  if (actor.kind !== 'operator') {
    throw new DomainError('forbidden', 'permission-missing', 'This operation is for operators.');
  }
  return { ...intent, actor };
}
