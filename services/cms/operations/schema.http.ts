import { type Static, Type } from 'typebox';
import type { Permission } from '../kernel/permission.ts';
import { AllowedAction, listOf, nullable, OperatorRef, oneOf, ref, time } from '../platform/schema.http.ts';
import {
  allowedOperationActions,
  ITEM_STATES,
  OPERATION_STATES,
  type Operation,
  shownState,
  totalOf,
} from './operation.ts';
import type { OperationItem } from './ports.ts';

const count = (description: string) => Type.Integer({ minimum: 0, description });

export const OperationSchema = Type.Object(
  {
    id: Type.String(),
    kind: oneOf(['revocation-batch']),
    state: oneOf(OPERATION_STATES, {
      description: 'planned: nothing was done yet. running: the worker carries it on, whatever restarts.',
    }),
    input: Type.Object({}, { additionalProperties: true, description: 'What was asked for.' }),
    progress: Type.Object({
      done: count('Done.'),
      failed: count('Another system would not; the items say why.'),
      total: count('All that is to be done, or was.'),
    }),
    counts: Type.Object({
      pending: count('To be done.'),
      decided: count('Recorded, and another system is being told.'),
      done: count('Done.'),
      failed: count('Another system would not.'),
      skipped: count('Nothing is to be done; the items say why.'),
      added: count('Came after the plan was made.'),
    }),
    reason: Type.String(),
    ticket: nullable(Type.String()),
    requestedBy: ref(OperatorRef),
    requestId: Type.String({ description: 'All audit events of it carry this.' }),
    createdAt: time(),
    expiresAt: time({ description: 'Of a plan: when it can be run no more.' }),
    startedAt: nullable(time()),
    finishedAt: nullable(time()),
    allowedActions: Type.Array(ref(AllowedAction)),
  },
  {
    $id: 'Operation',
    examples: [
      {
        id: '0199f2a0-8888-7000-8000-000000000008',
        kind: 'revocation-batch',
        state: 'running',
        input: { select: { personId: '0199f2a0-1111-7000-8000-000000000001' }, revocationReason: 'keyCompromise' },
        progress: { done: 120, failed: 0, total: 400 },
        counts: { pending: 230, decided: 50, done: 120, failed: 0, skipped: 3, added: 0 },
        reason: 'Keys were copied',
        ticket: 'INC-20417',
        requestedBy: { id: '0199f2a0-4444-7000-8000-000000000004', name: 'security-officer' },
        requestId: '0199f2a0-9999-7000-8000-000000000009',
        createdAt: '2026-11-20T09:30:00.000Z',
        expiresAt: '2026-11-20T10:30:00.000Z',
        startedAt: '2026-11-20T09:31:00.000Z',
        finishedAt: null,
        allowedActions: [{ action: 'cancel', allowed: true, disabledReason: null }],
      },
    ],
  },
);
export const OperationList = listOf(OperationSchema, { $id: 'OperationList' });

export const OperationItemSchema = Type.Object(
  {
    position: Type.Integer({ description: 'In the plan; of a list, the number of the line.' }),
    state: oneOf(ITEM_STATES),
    code: nullable(Type.String({ description: 'Why it was skipped, or failed.' })),
    added: Type.Boolean({ description: 'Came after the plan was made.' }),
    line: nullable(Type.String({ description: 'Of a list, where the line names nothing.' })),
    certificate: nullable(
      Type.Object({
        id: Type.String(),
        serialNumber: nullable(Type.String()),
        subject: nullable(Type.String()),
        status: Type.String(),
        cardId: Type.String(),
        personId: Type.String(),
        authority: Type.String(),
      }),
    ),
  },
  {
    $id: 'OperationItem',
    examples: [
      {
        position: 1,
        state: 'skipped',
        code: 'serial-number-unknown',
        added: false,
        line: '5f0c3d9a1be24c77',
        certificate: null,
      },
    ],
  },
);
export const OperationItemList = listOf(OperationItemSchema, { $id: 'OperationItemList' });
export const operationComponents = [OperationSchema, OperationList, OperationItemSchema, OperationItemList];

export function toOperationBody(
  operation: Operation,
  now: Date,
  permissions: ReadonlySet<Permission>,
): Static<typeof OperationSchema> {
  const { counts, requestedBy, createdAt, expiresAt, startedAt, finishedAt } = operation;
  return {
    ...operation,
    input: { ...operation.input },
    state: shownState(operation, now),
    progress: { done: counts.done, failed: counts.failed, total: totalOf(counts) },
    requestedBy: { id: requestedBy.id, name: requestedBy.name },
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
    startedAt: startedAt?.toISOString() ?? null,
    finishedAt: finishedAt?.toISOString() ?? null,
    allowedActions: allowedOperationActions(operation, now, permissions),
  };
}

export const toItemBody = (item: OperationItem): Static<typeof OperationItemSchema> => ({ ...item });
