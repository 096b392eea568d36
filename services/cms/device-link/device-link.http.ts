import { Type } from 'typebox';
import type { CardId } from '../kernel/ids.ts';
import { closed, id, oneOf, Problem, ref } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import { checkIn, type DeviceLinkDependencies, destroyCard } from './check-in.ts';
import { deviceIntentOf } from './device-intent.http.ts';

const cardExample = {
  cardId: '0199f2a0-3333-7000-8000-000000000003',
  cardSerial: 'CW-7K3M-92QF',
  state: 'active',
  person: { displayName: 'Mary Major', userPrincipalName: 'mary.major@example.com' },
};
const DeviceCards = Type.Object(
  {
    items: Type.Array(
      Type.Object({
        cardId: Type.String(),
        cardSerial: Type.String(),
        state: Type.String(),
        person: Type.Object({ displayName: Type.String(), userPrincipalName: Type.String() }),
      }),
    ),
  },
  { $id: 'DeviceCards', examples: [{ items: [cardExample] }] },
);
const CheckIn = Type.Object(
  { cards: Type.Array(Type.Object({ cardId: Type.String(), state: Type.String() })) },
  { $id: 'CheckIn', examples: [{ cards: [{ cardId: cardExample.cardId, state: 'active' }] }] },
);
const Destruction = Type.Object(
  { state: oneOf(['destroyed']) },
  { $id: 'Destruction', examples: [{ state: 'destroyed' }] },
);
export const deviceLinkComponents = [DeviceCards, CheckIn, Destruction];

/** From one address, which may be that of a whole office. */
const PER_MINUTE = 600;

export function registerDeviceLinkRoutes(app: App, deps: DeviceLinkDependencies): void {
  app.get(
    '/api/v1/agent/cards',
    {
      config: { permission: 'device' },
      schema: {
        operationId: 'listOwnCards',
        summary: "This device's cards, newest first.",
        tags: ['agent'],
        response: { 200: ref(DeviceCards), default: ref(Problem) },
      },
    },
    async (request) => ({ items: await deps.devices.cardsOf(deviceIntentOf(request).actor.id) }),
  );

  app.post(
    '/api/v1/agent/check-ins',
    {
      config: { permission: 'device', act: 'device.checked-in', perMinute: PER_MINUTE },
      schema: {
        operationId: 'checkIn',
        summary: "Say how this device's cards are; hear how the server has them.",
        tags: ['agent'],
        body: closed(
          {
            cards: Type.Array(
              closed({
                cardId: id<CardId>(),
                triesLeft: Type.Integer({ minimum: 0, maximum: 100 }),
                blocked: Type.Boolean(),
              }),
              { maxItems: 50 },
            ),
          },
          { examples: [{ cards: [{ cardId: cardExample.cardId, triesLeft: 5, blocked: false }] }] },
        ),
        response: { 200: ref(CheckIn), default: ref(Problem) },
      },
    },
    async (request) => ({ cards: await checkIn(deps, deviceIntentOf(request), request.body.cards) }),
  );

  app.post(
    '/api/v1/agent/cards/:cardId/destructions',
    {
      config: { permission: 'device', act: 'card.destroyed', perMinute: PER_MINUTE },
      schema: {
        operationId: 'destroyCard',
        summary: 'The card was destroyed on this device: its certificates are revoked. Idempotent.',
        tags: ['agent'],
        params: closed({ cardId: id<CardId>() }),
        body: closed({}, { examples: [{}] }),
        response: { 201: ref(Destruction), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      await destroyCard(deps, deviceIntentOf(request), request.params.cardId);
      return reply.code(201).send({ state: 'destroyed' as const });
    },
  );
}
