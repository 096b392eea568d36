import { Type } from 'typebox';
import type { CardId } from '../kernel/ids.ts';
import { intentOf } from '../platform/authentication.http.ts';
import { closed, id, Problem, reason, ref, ticket } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import { type DisclosePukPorts, disclosePuk } from './disclose-puk.ts';

const NewDisclosure = closed(
  { reason, ticket: Type.Optional(ticket) },
  { $id: 'NewPukDisclosure', examples: [{ reason: 'Blocked card of a traveller', ticket: 'INC-20417' }] },
);
const Disclosure = Type.Object(
  { puk: Type.String({ description: 'Shown this once.' }) },
  { $id: 'PukDisclosure', examples: [{ puk: '48213907' }] },
);

export const pukComponents = [NewDisclosure, Disclosure];

export function registerPukRoutes(app: App, deps: DisclosePukPorts): void {
  app.post(
    '/api/v1/cards/:cardId/puk-disclosures',
    {
      config: { permission: 'puk:show', act: 'puk.disclosed', secretAnswer: true, perMinute: 60 },
      schema: {
        operationId: 'disclosePuk',
        summary: 'Show the PUK of a card, once.',
        tags: ['cards'],
        params: closed({ cardId: id<CardId>() }),
        body: ref(NewDisclosure),
        response: { 201: ref(Disclosure), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const puk = await disclosePuk(deps, intentOf(request, request.body), request.params.cardId);
      reply.code(201);
      return { puk };
    },
  );
}
