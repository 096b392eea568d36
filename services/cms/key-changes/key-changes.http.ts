import type { CardId, KeyChangeId } from '../kernel/ids.ts';
import type { Permission } from '../kernel/permission.ts';
import { callerOf, intentOf } from '../platform/authentication.http.ts';
import { decodeCursor, limitOf, pageOf, UUID_KEY } from '../platform/cursor.ts';
import { closed, id, Problem, paging, reason, ref } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import { KeyChangeList, KeyChangeSchema, NewKeyChangeSchema, toBody } from './key-change-schema.http.ts';
import {
  abandonChange,
  cancelChange,
  changeNotFound,
  type RequestChangePorts,
  requestChange,
} from './request-change.ts';

export const keyChangeComponents = [KeyChangeSchema, KeyChangeList, NewKeyChangeSchema];

export function registerKeyChangeRoutes(app: App, deps: RequestChangePorts): void {
  const ofCard = closed({ cardId: id<CardId>() });
  const ofChange = closed({ keyChangeId: id<KeyChangeId>() });

  async function show(changeId: string, permissions: ReadonlySet<Permission>) {
    const change = await deps.changes.find(changeId);
    if (change === null) throw changeNotFound();
    return toBody(change, permissions);
  }

  app.post(
    '/api/v1/cards/:cardId/administrator-key-changes',
    {
      config: { permission: 'keys:change', act: 'key-change.requested', perMinute: 300 },
      schema: {
        operationId: 'changeAdministratorKey',
        summary: 'Have the device give its card another administrator key, at its next check-in.',
        description:
          'The old key is kept until the card is known to have the new one, and either opens the card until then. A TPM card obeys its old key for ever: there, a change retires a strategy or a master version, and does not help after suspicion.',
        tags: ['cards'],
        params: ofCard,
        body: ref(NewKeyChangeSchema),
        response: { 201: ref(KeyChangeSchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const intent = intentOf(request, request.body);
      const changeId = await requestChange(deps, intent, request.params.cardId, request.body.cause);
      reply.code(201).header('location', `/api/v1/administrator-key-changes/${changeId}`);
      return show(changeId, callerOf(request).permissions);
    },
  );

  app.get(
    '/api/v1/cards/:cardId/administrator-key-changes',
    {
      config: { permission: 'cards:read' },
      schema: {
        operationId: 'listAdministratorKeyChanges',
        summary: "Changes of a card's administrator key, newest first.",
        tags: ['cards'],
        params: ofCard,
        querystring: closed(paging),
        response: { 200: ref(KeyChangeList), default: ref(Problem) },
      },
    },
    async (request) => {
      const limit = limitOf(request.query);
      const after = decodeCursor(request.query.cursor, UUID_KEY);
      const rows = await deps.changes.listOfCard(request.params.cardId, after, limit + 1);
      const { permissions } = callerOf(request);
      return pageOf(
        rows,
        limit,
        (change) => change.id,
        (change) => toBody(change, permissions),
      );
    },
  );

  app.get(
    '/api/v1/administrator-key-changes/:keyChangeId',
    {
      config: { permission: 'cards:read', etag: true },
      schema: {
        operationId: 'getAdministratorKeyChange',
        summary: "One change of a card's administrator key.",
        tags: ['cards'],
        params: ofChange,
        response: { 200: ref(KeyChangeSchema), default: ref(Problem) },
      },
    },
    async (request) => show(request.params.keyChangeId, callerOf(request).permissions),
  );

  app.post(
    '/api/v1/administrator-key-changes/:keyChangeId/cancellations',
    {
      config: { permission: 'keys:change', act: 'key-change.cancelled' },
      schema: {
        operationId: 'cancelAdministratorKeyChange',
        summary: 'End a change whose device was not given a key yet.',
        tags: ['cards'],
        params: ofChange,
        body: closed({ reason }, { examples: [{ reason: 'Asked for the wrong card' }] }),
        response: { 201: ref(KeyChangeSchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const { keyChangeId } = request.params;
      await cancelChange(deps, intentOf(request, request.body), keyChangeId);
      reply.code(201);
      return show(keyChangeId, callerOf(request).permissions);
    },
  );

  app.post(
    '/api/v1/administrator-key-changes/:keyChangeId/abandonments',
    {
      config: { permission: 'keys:change', act: 'key-change.given-up' },
      schema: {
        operationId: 'giveUpAdministratorKeyChange',
        summary: 'End a change that its device has given up, without its being known which key the card has.',
        description:
          'Both keys are kept until the card is retired or another change is confirmed, and should the card turn out to have the new key, this change is confirmed after all.',
        tags: ['cards'],
        params: ofChange,
        body: closed({ reason }, { examples: [{ reason: 'The card refuses both keys' }] }),
        response: { 201: ref(KeyChangeSchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const { keyChangeId } = request.params;
      await abandonChange(deps, intentOf(request, request.body), keyChangeId);
      reply.code(201);
      return show(keyChangeId, callerOf(request).permissions);
    },
  );
}
