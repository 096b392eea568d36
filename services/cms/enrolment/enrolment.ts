import { DomainError } from '@cardwright/protocol';
import { type AllowedAction, offer } from '../kernel/allowed-action.ts';
import type { Permission } from '../kernel/permission.ts';

/** States and rules of an enrolment. */
export type EnrolmentState = 'open' | 'claimed' | 'completed' | 'cancelled';
export type EnrolmentAct = 'claim' | 'complete' | 'cancel';

interface Common {
  readonly id: string;
  readonly personId: string;
  readonly profileName: string;
  /** Of a reissue: the card that the new one takes the place of. */
  readonly replacesCardId: string | null;
  readonly expiresAt: Date;
  readonly createdAt: Date;
  readonly createdBy: { readonly id: string; readonly name: string };
}
export interface OpenEnrolment extends Common {
  readonly state: 'open';
}
/** The code belongs to one device for ever: what follows is asked with the device's own token. */
export interface ClaimedEnrolment extends Common {
  readonly state: 'claimed';
  readonly deviceId: string;
  readonly cardId: string;
}
export interface CompletedEnrolment extends Common {
  readonly state: 'completed';
  readonly deviceId: string;
  readonly cardId: string;
}
export interface CancelledEnrolment extends Common {
  readonly state: 'cancelled';
  readonly deviceId: string | null;
  readonly cardId: string | null;
}
export type Enrolment = OpenEnrolment | ClaimedEnrolment | CompletedEnrolment | CancelledEnrolment;

const TRANSITIONS: Readonly<Record<EnrolmentState, Partial<Readonly<Record<EnrolmentAct, EnrolmentState>>>>> = {
  open: { claim: 'claimed', cancel: 'cancelled' },
  claimed: { complete: 'completed', cancel: 'cancelled' },
  completed: {},
  cancelled: {},
};

/**
 * The code's time limits the claim alone. A device that claimed in time may finish later (it may have been switched
 * off in the middle); an operator who does not want that cancels.
 */
export function isExpired(enrolment: Enrolment, now: Date): boolean {
  return enrolment.state === 'open' && enrolment.expiresAt <= now;
}

export function shownState(enrolment: Enrolment, now: Date): EnrolmentState | 'expired' {
  return isExpired(enrolment, now) ? 'expired' : enrolment.state;
}

/** @throws DomainError conflict with the code that tells what the state is. */
export function assertMay(act: EnrolmentAct, enrolment: Enrolment, now: Date): void {
  const refusal = refusalOf(act, enrolment, now);
  if (refusal !== null) throw new DomainError('conflict', refusal.code, refusal.detail);
}

export function allowedActions(
  enrolment: Enrolment,
  now: Date,
  permissions: ReadonlySet<Permission>,
): AllowedAction<'cancel'>[] {
  return [offer('cancel', 'enrolments:cancel', permissions, refusalOf('cancel', enrolment, now)?.detail ?? null)];
}

function refusalOf(act: EnrolmentAct, enrolment: Enrolment, now: Date): { code: string; detail: string } | null {
  if (isExpired(enrolment, now)) {
    return {
      code: 'enrolment-code-expired',
      detail: 'The time of this enrolment code has passed; ask the operator for a new one.',
    };
  }
  if (TRANSITIONS[enrolment.state][act] !== undefined) return null;
  if (enrolment.state === 'cancelled') {
    return { code: 'enrolment-cancelled', detail: 'An operator cancelled this enrolment; ask for a new code.' };
  }
  if (act === 'claim') {
    return { code: 'enrolment-code-used', detail: 'This enrolment code has been used; each code makes one card.' };
  }
  return enrolment.state === 'completed'
    ? { code: 'enrolment-completed', detail: 'This enrolment is complete; its card is in use.' }
    : { code: 'enrolment-not-claimed', detail: 'No device has claimed this enrolment yet.' };
}

/** What a device may do during an enrolment is decided by this one question. */
export function claimedBy(enrolment: Enrolment, deviceId: string): ClaimedEnrolment | CompletedEnrolment {
  if (enrolment.state === 'open' || enrolment.deviceId !== deviceId) throw enrolmentNotFound();
  if (enrolment.state === 'cancelled') {
    throw new DomainError(
      'conflict',
      'enrolment-cancelled',
      'An operator cancelled this enrolment; ask for a new code.',
    );
  }
  return enrolment;
}

/** The same for what is not there and for what the asker may not know of. */
export function enrolmentNotFound(): DomainError {
  return new DomainError('not-found', 'not-found', 'There is no such enrolment.');
}
