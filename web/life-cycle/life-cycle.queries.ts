import { queryOptions } from '@tanstack/react-query';
import type { ActHeaders } from '../app/act.ts';
import { answerOf, api, newIdempotencyKey } from '../app/api.ts';
import type { LifeCyclePreview, LifeCycleResult, NewLifeCycleAct } from '../app/contract.ts';
import type { Subject } from './subject.ts';

export function actsQuery({ kind, id }: Subject) {
  return queryOptions({
    queryKey: ['life-cycle', kind, id],
    queryFn: () => {
      if (kind === 'card') {
        return answerOf(api.GET('/api/v1/cards/{cardId}/life-cycle-acts', { params: { path: { cardId: id } } }));
      }
      if (kind === 'device') {
        return answerOf(api.GET('/api/v1/devices/{deviceId}/life-cycle-acts', { params: { path: { deviceId: id } } }));
      }
      return answerOf(api.GET('/api/v1/people/{personId}/life-cycle-acts', { params: { path: { personId: id } } }));
    },
  });
}

function post({ kind, id }: Subject, body: NewLifeCycleAct, headers: ActHeaders) {
  if (kind === 'card') {
    const params = { path: { cardId: id } };
    return answerOf(api.POST('/api/v1/cards/{cardId}/life-cycle-acts', { params, body, headers }));
  }
  if (kind === 'device') {
    const params = { path: { deviceId: id } };
    return answerOf(api.POST('/api/v1/devices/{deviceId}/life-cycle-acts', { params, body, headers }));
  }
  const params = { path: { personId: id } };
  return answerOf(api.POST('/api/v1/people/{personId}/life-cycle-acts', { params, body, headers }));
}

/** What an act would do now. It changes nothing, so the reason, which the operator has yet to give, is of no matter. */
export function previewQuery(subject: Subject, order: Pick<NewLifeCycleAct, 'act' | 'reissue' | 'newPersonId'>) {
  return queryOptions({
    queryKey: ['life-cycle', subject.kind, subject.id, 'preview', order],
    queryFn: async () => {
      const body: NewLifeCycleAct = { ...order, preview: true, reason: 'preview' };
      return (await post(subject, body, { 'idempotency-key': newIdempotencyKey() })) as LifeCyclePreview;
    },
    staleTime: 0,
    gcTime: 0,
  });
}

export async function perform(subject: Subject, body: NewLifeCycleAct, headers: ActHeaders): Promise<LifeCycleResult> {
  return (await post(subject, body, headers)) as LifeCycleResult;
}
