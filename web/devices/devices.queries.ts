import { queryOptions } from '@tanstack/react-query';
import { answerOf, api } from '../app/api.ts';

export function deviceQuery(deviceId: string) {
  return queryOptions({
    queryKey: ['devices', deviceId],
    queryFn: () => answerOf(api.GET('/api/v1/devices/{deviceId}', { params: { path: { deviceId } } })),
  });
}
