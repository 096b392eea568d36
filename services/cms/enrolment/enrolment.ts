import { DomainError } from '@cardwright/protocol';
import type { EnrolmentMethod, InitialPin } from '../cards/index.ts';
import { type AllowedAction, offer } from '../kernel/allowed-action.ts';
import type { Permission } from '../kernel/permission.ts';

/** States and rules of an enrolment. */
export type EnrolmentState = 'open' | 'claimed' | 'completed' | 'cancelled';
export type EnrolmentAct = 'claim' | 'complete' | 'cancel' | 'supervise';

/** Of a first PIN that is set under an operator's eyes, once the device has asked for it. */
export interface Supervision {
  /** As the device shows it. */
  readonly confirmationCode: string;
  /** The PIN was set when the card was written with that key; written anew, it is another one. */
  readonly keyVersion: number;
  readonly confirmedAt: Date | null;
}

/** Of a first PIN that nobody sees: what it is sealed to, and whether its holder has exchanged it for their own. */
export interface HandOverState {
  readonly state: 'pending' | 'done';
  readonly publicKey: Uint8Array;
  readonly salt: Uint8Array;
}

interface Common {
  readonly id: string;
  readonly personId: string;
  readonly profileName: string;
  readonly method: EnrolmentMethod;
  readonly initialPin: InitialPin;
  readonly supervision: Supervision | null;
  readonly handOver: HandOverState | null;
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
  claimed: { complete: 'completed', cancel: 'cancelled', supervise: 'claimed' },
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
): AllowedAction<'cancel' | 'confirm-initial-pin'>[] {
  const cancel = refusalOf('cancel', enrolment, now)?.detail ?? null;
  const confirm = refusalOf('supervise', enrolment, now)?.detail ?? whyNothingToConfirm(enrolment)?.detail ?? null;
  return [
    offer('cancel', 'enrolments:cancel', permissions, cancel),
    ...(enrolment.initialPin === 'supervised'
      ? [offer('confirm-initial-pin', 'enrolments:create', permissions, confirm)]
      : []),
  ];
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

export const INITIAL_PIN_STATES = ['holder', 'not-set', 'to-confirm', 'confirmed', 'sealed', 'handed-over'] as const;

/** How far the first PIN has come, by how it comes about. */
export function initialPinState({ initialPin, supervision, handOver }: Enrolment): (typeof INITIAL_PIN_STATES)[number] {
  if (initialPin === 'holder') return 'holder';
  if (initialPin === 'handed-over') return handOver?.state === 'done' ? 'handed-over' : 'sealed';
  if (supervision === null) return 'not-set';
  return supervision.confirmedAt === null ? 'to-confirm' : 'confirmed';
}

/** Why no operator has to confirm now that the first PIN was set under their eyes. Null where one has. */
export function whyNothingToConfirm({ initialPin, supervision }: Enrolment): { code: string; detail: string } | null {
  if (initialPin !== 'supervised') {
    return { code: 'supervision-not-asked', detail: 'The first PIN of this card is not set under supervision.' };
  }
  if (supervision === null) {
    return { code: 'initial-pin-not-set', detail: 'The device has not made the card yet, so there is no PIN.' };
  }
  if (supervision.confirmedAt === null) return null;
  return { code: 'initial-pin-confirmed', detail: 'An operator has confirmed already how the PIN was set.' };
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
