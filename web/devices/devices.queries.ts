import { queryOptions } from '@tanstack/react-query';
import { answerOf, api } from '../app/api.ts';
import { pagedQuery } from '../app/paged.ts';

export function deviceQuery(deviceId: string) {
  return queryOptions({
    queryKey: ['devices', deviceId],
    queryFn: () => answerOf(api.GET('/api/v1/devices/{deviceId}', { params: { path: { deviceId } } })),
  });
}

/** The device fetches its tasks at its own time: what becomes of them is asked for again this often. */
const TASKS_EVERY_MILLISECONDS = 10_000;

export function tasksQuery(deviceId: string) {
  return pagedQuery(
    ['tasks', { deviceId }],
    (page) => answerOf(api.GET('/api/v1/devices/{deviceId}/tasks', { params: { path: { deviceId }, query: page } })),
    { everyMilliseconds: TASKS_EVERY_MILLISECONDS },
  );
}
