import { Type } from 'typebox';
import { deviceIntentOf } from '../device-link/index.ts';
import type { TaskId } from '../kernel/ids.ts';
import { base64, closed, id, Problem, ref } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import { answerCard } from './answer-card.ts';
import { CardAnswerSchema, KeyOfferSchema, ReplacementOffer, SuccessorOffer } from './key-change-schema.http.ts';
import { type OfferKeyPorts, offerKey } from './offer-key.ts';

export const deviceKeyChangeComponents = [SuccessorOffer, ReplacementOffer, KeyOfferSchema, CardAnswerSchema];

/** From one address, which may be that of a whole office. */
const PER_MINUTE = 300;
const MAX_CHALLENGE_BYTES = 64;
const toBytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));

export function registerDeviceKeyChangeRoutes(app: App, deps: OfferKeyPorts): void {
  const params = closed({ taskId: id<TaskId>() });

  app.post(
    '/api/v1/agent/tasks/:taskId/offers',
    {
      config: { permission: 'device', act: 'key-change.offered', perMinute: PER_MINUTE, secretAnswer: true },
      schema: {
        operationId: 'offerAdministratorKey',
        summary: 'The new administrator key of a card, wrapped to this TPM. The same each time it is asked for.',
        tags: ['agent'],
        params,
        body: closed(
          { parentPublic: base64(1024, { description: 'TPM2B_PUBLIC of the storage key.' }) },
          { examples: [{ parentPublic: 'AHoAIwAL' }] },
        ),
        response: { 201: ref(KeyOfferSchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const parent = toBytes(request.body.parentPublic);
      const keyOffer = await offerKey(deps, deviceIntentOf(request), request.params.taskId, parent);
      return reply.code(201).send({ keyOffer });
    },
  );

  app.post(
    '/api/v1/agent/tasks/:taskId/card-answers',
    {
      config: { permission: 'device', act: 'key-change.answered', perMinute: PER_MINUTE, secretAnswer: true },
      schema: {
        operationId: 'answerCardForKeyChange',
        summary: "The answer to a minidriver card's challenge, by its old or its new key. While a change is under way.",
        tags: ['agent'],
        params,
        body: closed(
          {
            keyVersion: Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1, description: 'The old one or the new one.' }),
            challenge: base64(MAX_CHALLENGE_BYTES),
          },
          { examples: [{ keyVersion: 1, challenge: 'FgPr3xyKLnI=' }] },
        ),
        response: { 201: ref(CardAnswerSchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const { keyVersion, challenge } = request.body;
      const asked = { keyVersion, challenge: toBytes(challenge) };
      const response = await answerCard(deps, deviceIntentOf(request), request.params.taskId, asked);
      return reply.code(201).send({ response: Buffer.from(response).toString('base64') });
    },
  );
}
