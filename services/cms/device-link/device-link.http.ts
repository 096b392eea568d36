import { Type } from 'typebox';
import type { CardId } from '../kernel/ids.ts';
import { closed, id, line, oneOf, Problem, ref } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import { AgentTask, toAgentTask } from '../tasks/index.ts';
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
  {
    cards: Type.Array(Type.Object({ cardId: Type.String(), state: Type.String() })),
    tasks: Type.Array(ref(AgentTask), { description: 'To be done in this order. Given again until reported.' }),
    nextCheckInSeconds: Type.Integer({ description: 'When to check in next, give or take some.' }),
  },
  {
    $id: 'CheckIn',
    examples: [{ cards: [{ cardId: cardExample.cardId, state: 'active' }], tasks: [], nextCheckInSeconds: 900 }],
  },
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
        summary: "Say how this device's cards are; hear how the server has them, and what is to be done.",
        tags: ['agent'],
        body: closed(
          {
            cards: Type.Array(
              closed({
                cardId: id<CardId>(),
                triesLeft: Type.Integer({ minimum: 0, maximum: 100 }),
                blocked: Type.Boolean(),
                administratorKeyVersion: Type.Optional(
                  Type.Integer({
                    minimum: 1,
                    maximum: 2 ** 31 - 1,
                    description: 'The newest that the device has, or that it knows the card to have.',
                  }),
                ),
                initialPin: Type.Optional(
                  oneOf(['pending', 'set'], {
                    description: 'Of a card whose first PIN is handed over: whether its holder has set their own.',
                  }),
                ),
              }),
              { maxItems: 50 },
            ),
            agentVersion: Type.Optional(line(64)),
            tpm: Type.Optional(closed({ manufacturer: line(100), firmware: line(100), revision: line(100) })),
          },
          {
            examples: [
              {
                cards: [{ cardId: cardExample.cardId, triesLeft: 5, blocked: false, administratorKeyVersion: 1 }],
                agentVersion: '0.1.0',
              },
            ],
          },
        ),
        response: { 200: ref(CheckIn), default: ref(Problem) },
      },
    },
    async (request) => {
      const { cards, ...facts } = request.body;
      const answer = await checkIn(deps, deviceIntentOf(request), cards, facts);
      return { ...answer, cards: [...answer.cards], tasks: answer.tasks.map(toAgentTask) };
    },
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
