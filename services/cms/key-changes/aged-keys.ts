import { isDomainError } from '@cardwright/protocol';
import { MAX_SUCCESSIONS } from '@cardwright/protocol/tpm';
import type { Intent } from '../kernel/actor.ts';
import type { AgedKeys } from './ports.ts';
import { type RequestChangePorts, requestChange } from './request-change.ts';

export interface AgedKeysPorts extends RequestChangePorts {
  readonly agedKeys: AgedKeys;
}

/** A fleet whose keys all come of age on one day is not asked on one day: what is left is for the next round. */
const AT_ONCE = 20;
const DAY_MILLIS = 24 * 3600 * 1000;
/** A device that was not heard of since could not do it, and may not be there any more. */
const SEEN_DAYS = 7;
const RETRY_DAYS = 1;

/**
 * For the worker: queues changes of the keys that are older than their card's profile wants.
 * @returns how many were queued.
 */
export async function changeAgedKeys(ports: AgedKeysPorts, now: Date): Promise<number> {
  const ago = (days: number) => new Date(now.getTime() - days * DAY_MILLIS);
  const window = { now, seenSince: ago(SEEN_DAYS), retryAfter: ago(RETRY_DAYS), maxRotations: MAX_SUCCESSIONS };
  const due = await ports.agedKeys.due(window, AT_ONCE);
  let queued = 0;
  for (const cardId of due) {
    const intent: Intent = {
      actor: { kind: 'system', id: 'worker', name: 'worker' },
      requestId: ports.runtime.newId(),
      reason: 'the key is older than the card profile wants',
    };
    try {
      await requestChange(ports, intent, cardId, 'periodic');
      queued += 1;
    } catch (error) {
      // An operator retired the card, or asked for a change, at this moment.
      if (!isDomainError(error) || error.kind !== 'conflict') throw error;
    }
  }
  return queued;
}
