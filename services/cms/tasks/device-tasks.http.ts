import { Type } from 'typebox';
import { deviceIntentOf } from '../device-link/index.ts';
import type { TaskId } from '../kernel/ids.ts';
import { closed, id, line, oneOf, Problem, ref } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import { type ReportPorts, reportResult } from './report-result.ts';
import { TASK_STATES } from './task.ts';

const ReportedTask = Type.Object(
  { state: oneOf(TASK_STATES, { description: 'What the first report made of it.' }) },
  { $id: 'ReportedTask', examples: [{ state: 'done' }] },
);
export const deviceTaskComponents = [ReportedTask];

/** From one address, which may be that of a whole office. */
const PER_MINUTE = 600;

export function registerDeviceTaskRoutes(app: App, deps: ReportPorts): void {
  app.post(
    '/api/v1/agent/tasks/:taskId/results',
    {
      config: { permission: 'device', act: 'task.reported', perMinute: PER_MINUTE },
      schema: {
        operationId: 'reportTask',
        summary: 'Say what came of a task. To be repeated until it is answered; it counts once.',
        tags: ['agent'],
        params: closed({ taskId: id<TaskId>() }),
        body: closed(
          {
            outcome: oneOf(['done', 'failed']),
            code: Type.Optional(
              Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,63}$', maxLength: 64, description: 'Why it failed.' }),
            ),
            detail: Type.Optional(line(500, { description: 'The same for a person.' })),
            keyVersion: Type.Optional(
              Type.Integer({
                minimum: 1,
                maximum: 2 ** 31 - 1,
                description: 'Of a key change: the administrator key that the card is known to have now.',
              }),
            ),
          },
          { examples: [{ outcome: 'done', keyVersion: 2 }] },
        ),
        response: { 200: ref(ReportedTask), default: ref(Problem) },
      },
    },
    async (request) => ({
      state: await reportResult(deps, deviceIntentOf(request), request.params.taskId, request.body),
    }),
  );
}
