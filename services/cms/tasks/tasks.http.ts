import { DomainError } from '@cardwright/protocol';
import { Type } from 'typebox';
import type { CardId, DeviceId } from '../kernel/ids.ts';
import { intentOf } from '../platform/authentication.http.ts';
import { decodeCursor, limitOf, pageOf, UUID_KEY } from '../platform/cursor.ts';
import { closed, id, line, Problem, paging, ref } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import { type SendMessagePorts, sendMessage } from './send-message.ts';
import { AgentTask, FailureSchema, TaskList, TaskSchema, toTaskBody } from './task-schema.http.ts';

const NewMessage = closed(
  {
    text: line(500, { description: 'Shown to who uses the device.' }),
    cardId: Type.Optional(id<CardId>({ description: 'The card that it is about.' })),
  },
  { $id: 'NewMessage', examples: [{ text: 'Please bring this laptop to the service desk on Friday.' }] },
);

export const taskComponents = [FailureSchema, TaskSchema, TaskList, AgentTask, NewMessage];

export function registerTaskRoutes(app: App, deps: SendMessagePorts): void {
  const params = closed({ deviceId: id<DeviceId>() });

  app.get(
    '/api/v1/devices/:deviceId/tasks',
    {
      config: { permission: 'devices:read' },
      schema: {
        operationId: 'listDeviceTasks',
        summary: "What a device's agent was asked to do, newest first.",
        tags: ['devices'],
        params,
        querystring: closed(paging),
        response: { 200: ref(TaskList), default: ref(Problem) },
      },
    },
    async (request) => {
      const { deviceId } = request.params;
      if (!(await deps.tasks.deviceExists(deviceId))) {
        throw new DomainError('not-found', 'not-found', 'There is no such device.');
      }
      const limit = limitOf(request.query);
      const rows = await deps.tasks.listOfDevice(deviceId, decodeCursor(request.query.cursor, UUID_KEY), limit + 1);
      return pageOf(rows, limit, (task) => task.id, toTaskBody);
    },
  );

  app.post(
    '/api/v1/devices/:deviceId/messages',
    {
      config: { permission: 'devices:message', act: 'task.queued', perMinute: 120 },
      schema: {
        operationId: 'sendMessage',
        summary: 'Have the agent show a message to who uses the device, at its next check-in.',
        tags: ['devices'],
        params,
        body: ref(NewMessage),
        response: { 201: ref(TaskSchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const sent = await sendMessage(deps, intentOf(request), request.params.deviceId, request.body);
      return reply.code(201).send(toTaskBody(sent));
    },
  );
}
