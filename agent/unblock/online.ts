import { DomainError, isDomainError } from '@cardwright/protocol';
import type { DeviceServer, UnblockRequest } from '../server/port.ts';

export interface Waiting {
  now(): Date;
  sleep(milliseconds: number): Promise<void>;
  note(text: string): void;
}

/** However far the server's clock is from ours, nobody waits longer. */
const LONGEST_MS = 60 * 60 * 1000;
/** What the server may still do with a request that is open by its clock. */
const GRACE_MS = 30_000;

/**
 * Asks until an operator has approved the request, and gives the response as text. A server that is briefly away is
 * asked again. Throws `unblock-request-refused`, `unblock-request-expired`, `unblock-request-closed` (all `conflict`).
 */
export async function awaitResponse(server: DeviceServer, request: UnblockRequest, waiting: Waiting): Promise<string> {
  const start = waiting.now().getTime();
  const allowed = Math.min(LONGEST_MS, Math.max(0, Date.parse(request.expiresAt) - start) + GRACE_MS);
  let away = false;
  for (;;) {
    await waiting.sleep(Math.max(1, request.pollAfterSeconds) * 1000);
    try {
      const { state, response } = await server.unblockRequest(request.sessionId);
      away = false;
      if (response !== null) return response;
      if (state === 'refused') throw ended('refused', 'The operator refused the request. Nothing was changed.');
      // Answered, and the answer is no longer given: it came too late.
      if (state === 'expired' || state === 'answered') throw expired();
      if (state !== 'requested' && state !== 'open') {
        throw ended('closed', `The request was closed at the server (${state}). Nothing was changed.`);
      }
    } catch (error) {
      if (!isDomainError(error) || error.kind !== 'unavailable') throw error;
      if (!away) waiting.note(`${error.detail.split('. ')[0]}. Still waiting...`);
      away = true;
    }
    if (waiting.now().getTime() - start > allowed) throw expired();
  }
}

const expired = () => ended('expired', 'Nobody approved the request in time. Nothing was changed; ask again.');
const ended = (how: string, detail: string) => new DomainError('conflict', `unblock-request-${how}`, detail);
