import { DomainError } from '@cardwright/protocol';
import { Type } from 'typebox';
import type { CardId } from '../kernel/ids.ts';
import { callerOf, intentOf } from '../platform/authentication.http.ts';
import { closed, id, oneOf, Problem, reason, ref, ticket } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import { CreatedEnrolment, methodFields, toBody, validForSeconds } from './enrolment.http.ts';
import { OLD_CARD, REISSUE_REVOCATIONS, type ReissueDependencies, reissueCard } from './reissue-card.ts';

const NewReissue = closed(
  {
    reason,
    ticket: Type.Optional(ticket),
    oldCard: Type.Optional(
      oneOf(OLD_CARD, {
        default: 'retire-when-replaced',
        description:
          'retire-when-replaced: the person works with the old card until the new one, on another or a reinstalled device, is active. retire-now: it goes out of use at once; needs the permission cards:retire.',
      }),
    ),
    revocationReason: Type.Optional(
      oneOf(REISSUE_REVOCATIONS, {
        default: 'superseded',
        description: 'Of the certificates of the old card. Another than superseded needs retire-now.',
      }),
    ),
    ...methodFields,
    validForSeconds,
  },
  {
    $id: 'NewReissue',
    examples: [
      { reason: 'Laptop stolen', ticket: 'INC-20417', oldCard: 'retire-now', revocationReason: 'keyCompromise' },
    ],
  },
);
export const reissueComponents = [NewReissue];

export function registerReissueRoutes(app: App, deps: ReissueDependencies): void {
  app.post(
    '/api/v1/cards/:cardId/reissues',
    {
      config: { permission: 'enrolments:create', act: 'card.reissue-requested', secretAnswer: true },
      schema: {
        operationId: 'reissueCard',
        summary: 'Make a one-time code for a card that takes the place of this one, for the same person and profile.',
        tags: ['cards'],
        params: closed({ cardId: id<CardId>() }),
        body: ref(NewReissue),
        response: { 201: ref(CreatedEnrolment), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const { oldCard = 'retire-when-replaced', ...input } = request.body;
      const caller = callerOf(request);
      if (oldCard === 'retire-now' && !caller.permissions.has('cards:retire')) throw mayNotRetire();
      const intent = intentOf(request, request.body);
      const made = await reissueCard(deps, intent, { ...input, ...request.params, oldCard });
      const enrolment = toBody(made.enrolment, deps.runtime.now(), caller);
      return reply
        .code(201)
        .header('location', `/api/v1/enrolments/${enrolment.id}`)
        .send({ enrolment, code: made.code, handOverCode: made.handOverCode });
    },
  );
}

/** Who makes codes does not take cards out of use: duties are kept apart. */
function mayNotRetire(): DomainError {
  const permission = 'cards:retire';
  const detail = `To retire the old card at once needs the permission ${permission}; retire-when-replaced does not.`;
  return new DomainError('forbidden', 'permission-missing', detail, { data: { permission } });
}
