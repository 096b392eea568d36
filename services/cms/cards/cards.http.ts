import type { Static } from 'typebox';
import type { CardId } from '../kernel/ids.ts';
import type { Permission } from '../kernel/permission.ts';
import { callerOf, intentOf } from '../platform/authentication.http.ts';
import { decodeCursor, limitOf, pageOf, UUID_KEY } from '../platform/cursor.ts';
import { closed, id, Problem, paging, ref } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import { algorithmWarning, allowedCardActions, type CardView, keyStrategyWarning } from './card.ts';
import {
  CardList,
  CardSchema,
  cardFilters,
  ImportKeySchema,
  NewCardSchema,
  RetirementSchema,
} from './cards.schema.http.ts';
import { cardUnknown } from './move-card.ts';
import type { CardViews } from './ports.ts';
import type { Registration } from './register-card.ts';
import type { createRetireCard } from './retire-card.ts';

export interface CardDeps {
  readonly views: CardViews;
  readonly registerCard: Registration['register'];
  readonly retireCard: ReturnType<typeof createRetireCard>;
  /** The vault's public key, to which administrator keys are sealed. */
  readonly importKey: () => Promise<Readonly<Record<string, unknown>>>;
}

function toBody(card: CardView, permissions: ReadonlySet<Permission>): Static<typeof CardSchema> {
  const { profileName: _profile, nvIndex: _index, keyChangeOpen: _change, reissue: _reissue, ...plain } = card;
  const { hasPuk, pukShownAt, ...shown } = plain;
  return {
    ...shown,
    keyStrategyWarning: keyStrategyWarning(card.keyStrategy),
    algorithmWarning: algorithmWarning(card.algorithm),
    puk: hasPuk ? (pukShownAt === null ? 'stored' : 'shown') : 'none',
    keySetAt: card.keySetAt.toISOString(),
    createdAt: card.createdAt.toISOString(),
    stateChangedAt: card.stateChangedAt.toISOString(),
    allowedActions: allowedCardActions(card, permissions),
  };
}

export function registerCardRoutes(app: App, deps: CardDeps): void {
  const params = closed({ cardId: id<CardId>() });

  async function show(cardId: string, permissions: ReadonlySet<Permission>) {
    const card = await deps.views.find(cardId);
    if (card === null) throw cardUnknown();
    return toBody(card, permissions);
  }

  app.get(
    '/api/v1/cards',
    {
      config: { permission: 'cards:read' },
      schema: {
        operationId: 'listCards',
        summary: 'Find cards by a part of the serial, person, device or state; newest first.',
        tags: ['cards'],
        querystring: closed({ ...cardFilters, ...paging }),
        response: { 200: ref(CardList), default: ref(Problem) },
      },
    },
    async (request) => {
      const limit = limitOf(request.query);
      const rows = await deps.views.list(request.query, decodeCursor(request.query.cursor, UUID_KEY), limit + 1);
      const { permissions } = callerOf(request);
      return pageOf(
        rows,
        limit,
        (card) => card.id,
        (card) => toBody(card, permissions),
      );
    },
  );

  app.get(
    '/api/v1/cards/:cardId',
    {
      config: { permission: 'cards:read', etag: true },
      schema: {
        operationId: 'getCard',
        summary: 'One card: whose, where, in which state, and what may be done with it.',
        tags: ['cards'],
        params,
        response: { 200: ref(CardSchema), default: ref(Problem) },
      },
    },
    async (request) => show(request.params.cardId, callerOf(request).permissions),
  );

  app.post(
    '/api/v1/cards',
    {
      config: { permission: 'cards:register', act: 'card.registered' },
      schema: {
        operationId: 'registerCard',
        summary: 'Take an existing card with its known administrator key under management.',
        description:
          'The key is sealed to the key of GET /api/v1/vault/import-key before it is sent. Cut off in the middle, the same request again completes it.',
        tags: ['cards'],
        body: ref(NewCardSchema),
        response: { 201: ref(CardSchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const cardId = await deps.registerCard(request.body, intentOf(request));
      reply.code(201).header('location', `/api/v1/cards/${cardId}`);
      return show(cardId, callerOf(request).permissions);
    },
  );

  app.post(
    '/api/v1/cards/:cardId/retirements',
    {
      config: { permission: 'cards:retire', act: 'card.retired' },
      schema: {
        operationId: 'retireCard',
        summary: 'Take a card out of use for ever, and revoke its certificates.',
        tags: ['cards'],
        params,
        body: ref(RetirementSchema),
        response: { 201: ref(CardSchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const { cardId } = request.params;
      await deps.retireCard(cardId, request.body.reason, intentOf(request, request.body));
      reply.code(201).header('location', `/api/v1/cards/${cardId}`);
      return show(cardId, callerOf(request).permissions);
    },
  );

  app.get(
    '/api/v1/vault/import-key',
    {
      config: { permission: 'cards:register' },
      schema: {
        operationId: 'getImportKey',
        summary: 'The public key to which administrator keys are sealed.',
        tags: ['cards'],
        response: { 200: ref(ImportKeySchema), default: ref(Problem) },
      },
    },
    async () => ({ jwk: await deps.importKey() }),
  );
}
