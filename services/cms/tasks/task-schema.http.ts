import { type Static, Type } from 'typebox';
import { CardRef, listOf, nullable, OperatorRef, oneOf, ref, time } from '../platform/schema.http.ts';
import type { TaskView } from './ports.ts';
import { TASK_KINDS, TASK_STATES } from './task.ts';

const example = {
  id: '0199f2a0-aaaa-7000-8000-00000000000a',
  deviceId: '0199f2a0-2222-7000-8000-000000000002',
  card: { id: '0199f2a0-3333-7000-8000-000000000003', serial: 'CW-7K3M-92QF' },
  kind: 'message',
  state: 'delivered',
  message: 'Please bring this laptop to the service desk on Friday.',
  attempts: 1,
  failure: null,
  createdBy: { id: '0199f2a0-4444-7000-8000-000000000004', name: 'helpdesk' },
  createdAt: '2026-11-20T09:00:00.000Z',
  deliveredAt: '2026-11-20T09:12:00.000Z',
  finishedAt: null,
};

export const FailureSchema = Type.Object(
  { code: Type.String(), detail: nullable(Type.String()) },
  { $id: 'Failure', examples: [{ code: 'card-not-on-this-device', detail: 'The store has no such card.' }] },
);

export const TaskSchema = Type.Object(
  {
    id: Type.String(),
    deviceId: Type.String(),
    card: nullable(ref(CardRef)),
    kind: oneOf(TASK_KINDS),
    state: oneOf(TASK_STATES, {
      description: 'queued: waits for the next check-in. delivered: the device has not said yet what came of it.',
    }),
    message: nullable(Type.String()),
    attempts: Type.Integer({ description: 'How often the device was told.' }),
    failure: nullable(ref(FailureSchema)),
    createdBy: ref(OperatorRef),
    createdAt: time(),
    deliveredAt: nullable(time()),
    finishedAt: nullable(time()),
  },
  { $id: 'Task', examples: [example] },
);
export const TaskList = listOf(TaskSchema, { $id: 'TaskList' });

/** As the device is told. */
export const AgentTask = Type.Object(
  {
    taskId: Type.String(),
    kind: oneOf(TASK_KINDS),
    cardId: nullable(Type.String()),
    cardSerial: nullable(Type.String()),
    cardKind: nullable(oneOf(['tpm', 'minidriver'])),
    message: nullable(Type.String({ description: 'For who uses the device.' })),
  },
  {
    $id: 'AgentTask',
    examples: [
      {
        taskId: example.id,
        kind: 'change-administrator-key',
        cardId: example.card.id,
        cardSerial: example.card.serial,
        cardKind: 'tpm',
        message: null,
      },
    ],
  },
);

const messageOf = ({ work }: TaskView): string | null => (work.kind === 'message' ? work.text : null);

export function toTaskBody(task: TaskView): Static<typeof TaskSchema> {
  const { id, deviceId, card, work, state, attempts, failure, createdBy } = task;
  return {
    ...{ id, deviceId, state, attempts, failure, createdBy },
    kind: work.kind,
    card: card === null ? null : { id: card.id, serial: card.serial },
    message: messageOf(task),
    createdAt: task.createdAt.toISOString(),
    deliveredAt: task.deliveredAt?.toISOString() ?? null,
    finishedAt: task.finishedAt?.toISOString() ?? null,
  };
}

export function toAgentTask(task: TaskView): Static<typeof AgentTask> {
  const { id, card, work } = task;
  return {
    taskId: id,
    kind: work.kind,
    cardId: card?.id ?? null,
    cardSerial: card?.serial ?? null,
    cardKind: card?.kind ?? null,
    message: messageOf(task),
  };
}
