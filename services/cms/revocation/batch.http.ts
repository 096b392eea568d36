import { Type } from 'typebox';
import type { CardId, DeviceId, PersonId } from '../kernel/ids.ts';
import { type OperationPorts, OperationSchema, startOperation, toOperationBody } from '../operations/index.ts';
import { callerOf, intentOf } from '../platform/authentication.http.ts';
import { closed, id, line, oneOf, Problem, ref, ticket } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import { demandOrder } from './batch.ts';
import { MAX_LIST_CHARACTERS, readList } from './list-file.ts';
import { comment, invalidityDate } from './revocation.http.ts';
import { REVOCATION_REASONS } from './revocation.ts';
import { type BatchPorts, planBatch } from './run-batch.ts';

const NewRevocationBatch = closed(
  {
    select: closed(
      {
        cardId: Type.Optional(id<CardId>()),
        deviceId: Type.Optional(id<DeviceId>()),
        personId: Type.Optional(id<PersonId>()),
        certificateProfile: Type.Optional(line(64, { description: 'Name of a certificate profile.' })),
        authority: Type.Optional(line(64, { description: 'Name of a CA.' })),
        list: Type.Optional(
          Type.String({
            minLength: 1,
            maxLength: MAX_LIST_CHARACTERS,
            description:
              'Serial numbers or SHA-256 thumbprints in hex, one a line, up to 100,000; of CSV the first column. Stands alone.',
          }),
        ),
      },
      { description: 'Which certificates: all of what is given must hold.' },
    ),
    reason: oneOf(REVOCATION_REASONS, { description: 'RFC 5280 section 5.3.1.' }),
    comment,
    ticket: Type.Optional(ticket),
    invalidityDate: Type.Optional(invalidityDate),
    alsoIssuedMeanwhile: Type.Optional(
      Type.Boolean({
        description:
          'Whether what the same selection finds while the batch runs is revoked too. Without it: yes, but not of a list.',
      }),
    ),
  },
  {
    $id: 'NewRevocationBatch',
    examples: [
      {
        select: { personId: '0199f2a0-1111-7000-8000-000000000001', certificateProfile: 'smart-card-sign-in' },
        reason: 'keyCompromise',
        comment: 'Keys were copied, nobody knows which',
        ticket: 'INC-20417',
      },
    ],
  },
);
export const revocationBatchComponents = [NewRevocationBatch];

export function registerRevocationBatchRoutes(app: App, ports: BatchPorts & OperationPorts): void {
  const { operations, runtime } = ports;

  app.post(
    '/api/v1/revocation-batches',
    {
      // JSON writes a line break as two characters.
      bodyLimit: MAX_LIST_CHARACTERS + 200_000,
      config: { permission: 'certificates:revoke', act: 'revocation-batch.planned' },
      schema: {
        operationId: 'planRevocationBatch',
        summary: 'Look for certificates to revoke, and change nothing: the plan is an operation that can then be run.',
        description:
          'The plan holds for an hour. Its items say which certificates would be revoked, and of the others why not.',
        tags: ['certificates'],
        body: ref(NewRevocationBatch),
        response: { 201: ref(OperationSchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const { select, reason, comment, ticket: reference, invalidityDate: since } = request.body;
      const invalidity = since === undefined ? undefined : new Date(since);
      demandOrder(select, invalidity, runtime.now());
      const { list, ...criteria } = select;
      const intent = intentOf(request, { reason: comment, ticket: reference });
      const operationId = await planBatch(ports, intent, {
        select: list === undefined ? criteria : { lines: readList(list) },
        reason,
        comment,
        invalidityDate: invalidity,
        alsoIssuedMeanwhile: request.body.alsoIssuedMeanwhile ?? list === undefined,
      });
      const planned = await operations.find(operationId);
      if (planned === null) throw new Error(`the plan ${operationId} is not there`);
      return reply
        .code(201)
        .header('location', `/api/v1/operations/${operationId}`)
        .send(toOperationBody(planned, runtime.now(), callerOf(request).permissions));
    },
  );

  app.post(
    '/api/v1/revocation-batches/:operationId/runs',
    {
      config: { permission: 'certificates:revoke', act: 'revocation-batch.started' },
      schema: {
        operationId: 'runRevocationBatch',
        summary: 'Revoke what the plan holds. The worker does it; the operation says how far it is.',
        tags: ['certificates'],
        params: closed({ operationId: id<string>() }),
        body: closed({}, { examples: [{}] }),
        response: { 202: ref(OperationSchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const operation = await startOperation(ports, intentOf(request), request.params.operationId);
      return reply
        .code(202)
        .header('location', `/api/v1/operations/${operation.id}`)
        .send(toOperationBody(operation, runtime.now(), callerOf(request).permissions));
    },
  );
}
