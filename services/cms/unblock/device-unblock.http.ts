import { Type } from 'typebox';
import { deviceIntentOf } from '../device-link/index.ts';
import type { CardId, UnblockSessionId } from '../kernel/ids.ts';
import { closed, id, nullable, oneOf, Problem, ref, time } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import { requestUnblock } from './open-session.ts';
import { reportOutcome } from './report-outcome.ts';
import { POLL_AFTER_SECONDS, sessionNotFound, shownState } from './session.ts';
import { SESSION_STATES } from './session-schema.http.ts';
import type { UnblockDependencies } from './unblock.http.ts';

const RequestSchema = Type.Object(
  {
    sessionId: Type.String(),
    confirmationCode: Type.String({ description: 'The person reads it to the operator.' }),
    expiresAt: time(),
    pollAfterSeconds: Type.Integer(),
  },
  {
    $id: 'UnblockRequest',
    examples: [
      {
        sessionId: '0199f2a0-8888-7000-8000-000000000008',
        confirmationCode: '482913',
        expiresAt: '2026-11-20T09:10:00.000Z',
        pollAfterSeconds: POLL_AFTER_SECONDS,
      },
    ],
  },
);
const RequestState = Type.Object(
  {
    state: oneOf(SESSION_STATES),
    response: nullable(Type.String({ description: 'The response as text, while the session is answered.' })),
  },
  { $id: 'UnblockRequestState', examples: [{ state: 'requested', response: null }] },
);
export const deviceUnblockComponents = [RequestSchema, RequestState];

/** From one address, which may be that of a whole office. */
const REQUESTS_PER_MINUTE = 120;
const POLLS_PER_MINUTE = 3000;

export function registerDeviceUnblockRoutes(app: App, deps: UnblockDependencies): void {
  const params = closed({ sessionId: id<UnblockSessionId>() });

  app.post(
    '/api/v1/agent/cards/:cardId/unblock-requests',
    {
      config: { permission: 'device', act: 'unblock.requested', perMinute: REQUESTS_PER_MINUTE, secretAnswer: true },
      schema: {
        operationId: 'requestUnblock',
        summary: "Ask an operator for the response to this device's challenge.",
        tags: ['agent'],
        params: closed({ cardId: id<CardId>() }),
        body: closed(
          {
            challenge: Type.String({ minLength: 1, maxLength: 400, description: 'The text as the card shows it.' }),
            triesLeft: Type.Integer({ minimum: 0, maximum: 100 }),
          },
          { examples: [{ challenge: '0WK2 Q3MD 7F1S 9C2X 4VBN', triesLeft: 0 }] },
        ),
        response: { 201: ref(RequestSchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const asked = await requestUnblock(deps, deviceIntentOf(request), request.params.cardId, request.body);
      const expiresAt = asked.expiresAt.toISOString();
      return reply.code(201).send({ ...asked, expiresAt, pollAfterSeconds: POLL_AFTER_SECONDS });
    },
  );

  app.get(
    '/api/v1/agent/unblock-requests/:sessionId',
    {
      config: { permission: 'device', perMinute: POLLS_PER_MINUTE },
      schema: {
        operationId: 'pollUnblockRequest',
        summary:
          'How the request stands; the response, once an operator has approved. For the device that asked alone.',
        tags: ['agent'],
        params,
        response: { 200: ref(RequestState), default: ref(Problem) },
      },
    },
    async (request) => {
      const { sessionId } = request.params;
      const found = await deps.sessions.find(sessionId);
      const { actor } = deviceIntentOf(request);
      if (found === null || found.session.origin !== 'device' || found.card.deviceId !== actor.id) {
        throw sessionNotFound();
      }
      const now = deps.runtime.now();
      const state = shownState(found.session, now);
      // Given again until the device says what came of it: a lost answer to a poll must not cost the session.
      const fetchable = state === 'answered' && found.session.expiresAt > now;
      return { state, response: fetchable ? await deps.sessions.responseFor(sessionId) : null };
    },
  );

  app.post(
    '/api/v1/agent/unblock-requests/:sessionId/outcomes',
    {
      config: { permission: 'device', act: 'unblock.outcome-reported', perMinute: REQUESTS_PER_MINUTE },
      schema: {
        operationId: 'reportOwnUnblockOutcome',
        summary: 'Say whether the response worked. The server then forgets it.',
        tags: ['agent'],
        params,
        body: closed({ outcome: oneOf(['worked', 'failed']) }, { examples: [{ outcome: 'worked' }] }),
        response: { 201: ref(RequestState), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const { outcome } = request.body;
      await reportOutcome(deps, deviceIntentOf(request), request.params.sessionId, outcome);
      return reply.code(201).send({ state: outcome, response: null });
    },
  );
}
