import { Type } from 'typebox';
import { callerOf, intentOf } from '../platform/authentication.http.ts';
import { decodeCursor, limitOf, NUMBER_KEY, pageOf, UUID_KEY } from '../platform/cursor.ts';
import { closed, id, oneOf, Problem, paging, reason, ref, ticket } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import { ITEM_STATES, OPERATION_STATES, operationNotFound } from './operation.ts';
import { cancelOperation, type OperationPorts } from './run-operations.ts';
import { OperationItemList, OperationList, OperationSchema, toItemBody, toOperationBody } from './schema.http.ts';

/** PostgreSQL's integer. */
const MAX_POSITION = 2 ** 31 - 1;

const params = closed({ operationId: id<string>() });

export function registerOperationRoutes(app: App, ports: OperationPorts): void {
  const { operations, runtime } = ports;

  app.get(
    '/api/v1/operations',
    {
      config: { permission: 'certificates:read' },
      schema: {
        operationId: 'listOperations',
        summary: 'Long work, newest first.',
        tags: ['operations'],
        querystring: closed({ state: Type.Optional(oneOf(OPERATION_STATES)), ...paging }),
        response: { 200: ref(OperationList), default: ref(Problem) },
      },
    },
    async (request) => {
      const limit = limitOf(request.query);
      const { state, cursor } = request.query;
      const rows = await operations.list({ state }, decodeCursor(cursor, UUID_KEY), limit + 1);
      const { permissions } = callerOf(request);
      return pageOf(
        rows,
        limit,
        (row) => row.id,
        (row) => toOperationBody(row, runtime.now(), permissions),
      );
    },
  );

  app.get(
    '/api/v1/operations/:operationId',
    {
      config: { permission: 'certificates:read', etag: true },
      schema: {
        operationId: 'getOperation',
        summary: 'How far long work is.',
        tags: ['operations'],
        params,
        response: { 200: ref(OperationSchema), default: ref(Problem) },
      },
    },
    async (request) => {
      const operation = await operations.find(request.params.operationId);
      if (operation === null) throw operationNotFound();
      return toOperationBody(operation, runtime.now(), callerOf(request).permissions);
    },
  );

  app.get(
    '/api/v1/operations/:operationId/items',
    {
      config: { permission: 'certificates:read' },
      schema: {
        operationId: 'listOperationItems',
        summary: 'What a plan is about, and what became of each; in the order of the plan.',
        tags: ['operations'],
        params,
        querystring: closed({ state: Type.Optional(oneOf(ITEM_STATES)), ...paging }),
        response: { 200: ref(OperationItemList), default: ref(Problem) },
      },
    },
    async (request) => {
      const limit = limitOf(request.query);
      const { state, cursor } = request.query;
      const after = decodeCursor(cursor, NUMBER_KEY);
      const { operationId } = request.params;
      if ((await operations.find(operationId)) === null) throw operationNotFound();
      const rows = await operations.items(
        operationId,
        state,
        after === null ? null : Math.min(Number(after), MAX_POSITION),
        limit + 1,
      );
      return pageOf(rows, limit, (row) => String(row.position), toItemBody);
    },
  );

  app.post(
    '/api/v1/operations/:operationId/cancellations',
    {
      config: { permission: 'certificates:revoke', act: 'revocation-batch.cancelled' },
      schema: {
        operationId: 'cancelOperation',
        summary: 'Stop long work: what was decided stands, and nothing more is.',
        tags: ['operations'],
        params,
        body: closed({ reason, ticket: Type.Optional(ticket) }, { examples: [{ reason: 'The wrong list' }] }),
        response: { 201: ref(OperationSchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const operation = await cancelOperation(ports, intentOf(request, request.body), request.params.operationId);
      return reply.code(201).send(toOperationBody(operation, runtime.now(), callerOf(request).permissions));
    },
  );
}
