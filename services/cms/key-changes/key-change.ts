import { DomainError } from '@cardwright/protocol';
import { type AllowedAction, offer } from '../kernel/allowed-action.ts';
import type { Permission } from '../kernel/permission.ts';

/**
 * States and rules of a change of a card's administrator key. Two-phase with the vault: the next key is proposed there
 * before the device gets it, and confirmed there when the card is known to have it; until then both are kept, and either
 * opens the card again.
 */

/** rotation: of a TPM card, where the old key approves the next. replacement: the new key overwrites the old one. */
export const CHANGE_KINDS = ['rotation', 'take-over', 'replacement'] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];
export const CHANGE_CAUSES = ['take-over', 'periodic', 'suspicion'] as const;
export type ChangeCause = (typeof CHANGE_CAUSES)[number];

/** offered: the device was given the new key, and may have put it on the card: there is no way back by itself. */
export const CHANGE_STATES = ['requested', 'offered', 'confirmed', 'cancelled', 'failed'] as const;
export type ChangeState = (typeof CHANGE_STATES)[number];
export type ChangeAct = 'offer' | 'confirm' | 'cancel' | 'fail' | 'give-up' | 'end';

const TRANSITIONS: Readonly<Record<ChangeState, Partial<Readonly<Record<ChangeAct, ChangeState>>>>> = {
  requested: { offer: 'offered', cancel: 'cancelled', fail: 'failed', end: 'cancelled' },
  // `end`: the card itself is over. An operator's `cancel` would leave a card whose key nobody is sure of.
  // `give-up`: an operator's, once the device has given up: both keys are kept, and another change may be asked for.
  offered: { confirm: 'confirmed', fail: 'failed', 'give-up': 'failed', end: 'cancelled' },
  confirmed: {},
  cancelled: {},
  // A device that gave up, and whose card turns out to have the new key after all.
  failed: { confirm: 'confirmed' },
};

/** What the device is given, as JSON: bytes in base64. Of no use but in the TPM that it was wrapped for. */
export type KeyOffer =
  | (OfferedKey & { readonly kind: 'successor'; readonly approval: Approval; readonly rehearsal: Approval })
  | (OfferedKey & {
      readonly kind: 'replacement';
      /** The key that the card has until then: it opens the card for the change. */
      readonly fromVersion: number;
      readonly algorithm: string;
      readonly kcv: string;
    });
interface OfferedKey {
  readonly keyVersion: number;
  readonly name: string;
  readonly public: string;
  readonly duplicate: string;
  readonly inSymSeed: string;
}
interface Approval {
  readonly approvedPolicy: string;
  readonly signature: string;
}

export interface KeyChange {
  readonly id: string;
  readonly cardId: string;
  readonly taskId: string;
  readonly kind: ChangeKind;
  readonly cause: ChangeCause;
  readonly state: ChangeState;
  readonly fromVersion: number;
  /** Null until it is offered. */
  readonly toVersion: number | null;
  readonly offer: KeyOffer | null;
  /** Challenges of the card that were answered to find out which key it has. */
  readonly answers: number;
  readonly reason: string | null;
  readonly ticket: string | null;
  readonly requestedBy: { readonly id: string; readonly name: string };
  readonly failure: { readonly code: string; readonly detail: string | null } | null;
  readonly createdAt: Date;
  /** The device said that the card has the new key; the vault is being told. */
  readonly reportedAt: Date | null;
  readonly confirmedAt: Date | null;
}

export const isOpen = ({ state }: Pick<KeyChange, 'state'>): boolean => state === 'requested' || state === 'offered';

/** Where the act leads. @throws DomainError (conflict) `key-change-offered`, `key-change-not-offered`, `key-change-closed`. */
export function changeAfter(state: ChangeState, act: ChangeAct): ChangeState {
  const next = TRANSITIONS[state][act];
  if (next !== undefined) return next;
  const { code, detail } = refusalOf(state);
  throw new DomainError('conflict', code, detail, { data: { state } });
}

function refusalOf(state: ChangeState): { readonly code: string; readonly detail: string } {
  if (state === 'offered') {
    const detail =
      'The device was given the new key, and the card may have it already. The change ends with the device’s word.';
    return { code: 'key-change-offered', detail };
  }
  if (state === 'requested') {
    return { code: 'key-change-not-offered', detail: 'The device has not been given a new key for this change yet.' };
  }
  return { code: 'key-change-closed', detail: `This change is over: it is ${state}.` };
}

export const changeClosed = ({ state }: Pick<KeyChange, 'state'>): DomainError => {
  const detail = `This change is over: it is ${state}.`;
  return new DomainError('conflict', 'key-change-closed', detail, { data: { state } });
};

export function allowedChangeActions(
  change: Pick<KeyChange, 'state'>,
  permissions: ReadonlySet<Permission>,
): AllowedAction<'cancel' | 'give-up'>[] {
  return (['cancel', 'give-up'] as const).map((act) => {
    const obstacle = TRANSITIONS[change.state][act] === undefined ? refusalOf(change.state).detail : null;
    return offer(act, 'keys:change', permissions, obstacle);
  });
}

/** While the device is at it, it may be putting the new key on the card at this very moment. */
export const underWay = (): DomainError =>
  new DomainError(
    'conflict',
    'key-change-under-way',
    'The device is at it. A change is given up once its task has failed; if the device is gone, retire the card.',
  );

/**
 * A key that may have become known keeps its power over a TPM card: the card's policy names it for ever, and who has it
 * can approve a key of his own.
 * @throws DomainError `key-change-does-not-help` (unprocessable).
 */
export function assertHelps(kind: 'tpm' | 'minidriver', cause: ChangeCause): void {
  if (kind !== 'tpm' || cause !== 'suspicion') return;
  const detail =
    'In a TPM card the old administrator key keeps its power for whoever has it, so another key does not help here. Reissue this card: the new one has a key that nobody knows.';
  throw new DomainError('unprocessable', 'key-change-does-not-help', detail, {
    fields: [{ pointer: '/cause', detail }],
  });
}

export function kindOfChange(kind: 'tpm' | 'minidriver', takeOverPending: boolean): ChangeKind {
  if (kind === 'tpm') return 'rotation';
  return takeOverPending ? 'take-over' : 'replacement';
}

/** An answer opens the card to who has it: no change needs more than a few. */
export const MAX_ANSWERS = 30;

/** @throws DomainError `key-change-closed`, `key-change-not-offered`, `key-change-answers-used-up` (conflict). */
export function assertAnswerable({ state, answers }: Pick<KeyChange, 'state' | 'answers'>): void {
  if (state !== 'offered') {
    const { code, detail } = refusalOf(state);
    throw new DomainError('conflict', code, detail, { data: { state } });
  }
  if (answers < MAX_ANSWERS) return;
  const detail = `${MAX_ANSWERS} challenges were answered for this change; no more are. Reissue the card.`;
  throw new DomainError('conflict', 'key-change-answers-used-up', detail);
}

/** @throws DomainError `key-version-mismatch` (unprocessable). */
export function assertVersion(change: Pick<KeyChange, 'fromVersion' | 'toVersion'>, keyVersion: number): void {
  if (keyVersion !== change.fromVersion && keyVersion !== change.toVersion) throw versionMismatch(change);
}

export function versionMismatch({ fromVersion, toVersion }: Pick<KeyChange, 'fromVersion' | 'toVersion'>): DomainError {
  const detail = `This change is from version ${fromVersion} to ${toVersion ?? 'the next one'}.`;
  const fields = [{ pointer: '/keyVersion', detail }];
  return new DomainError('unprocessable', 'key-version-mismatch', detail, { fields });
}
