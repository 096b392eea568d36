import { DomainError } from '@cardwright/protocol';
import { type Card, type CardRecords, cardUnknown, type MoveCardPorts } from '../cards/index.ts';
import type { Actor, Intent } from '../kernel/actor.ts';
import type { AuditEntry } from '../kernel/audit-entry.ts';
import type { Runtime } from '../kernel/runtime.ts';
import type { Tx, UnitOfWork } from '../kernel/unit-of-work.ts';
import { type ClaimedEnrolment, type CompletedEnrolment, claimedBy, enrolmentNotFound } from './enrolment.ts';
import type { AdministratorKeys, Enrolments } from './ports.ts';

/** What the steps of a device, after its claim, have in common. */
export interface StepDependencies extends MoveCardPorts {
  readonly enrolments: Enrolments;
  readonly cards: CardRecords;
  readonly keys: AdministratorKeys;
  readonly unitOfWork: UnitOfWork;
  readonly runtime: Runtime;
}

/** A step is always a device's own. */
export interface DeviceIntent extends Intent {
  readonly actor: Extract<Actor, { kind: 'device' }>;
}

export interface Held {
  readonly enrolment: ClaimedEnrolment | CompletedEnrolment;
  readonly card: Card;
}

/**
 * The enrolment and its card, held until the transaction ends. Both rows are taken in this order everywhere.
 * @throws DomainError `not-found`: another device's is not there for this one; `enrolment-cancelled` (conflict).
 */
export async function hold(deps: StepDependencies, tx: Tx, intent: DeviceIntent, enrolmentId: string): Promise<Held> {
  const found = await deps.enrolments.lock(tx, enrolmentId);
  if (found === null) throw enrolmentNotFound();
  const enrolment = claimedBy(found, intent.actor.id);
  const card = await deps.cards.lock(tx, enrolment.cardId);
  if (card === null) throw cardUnknown();
  return { enrolment, card };
}

/** The same, of an enrolment that is still to be finished. @throws also `enrolment-completed` (conflict). */
export async function holdUnfinished(
  deps: StepDependencies,
  tx: Tx,
  intent: DeviceIntent,
  enrolmentId: string,
): Promise<Held & { readonly enrolment: ClaimedEnrolment }> {
  const { enrolment, card } = await hold(deps, tx, intent, enrolmentId);
  if (enrolment.state === 'completed') throw enrolmentCompleted();
  demandUnfinished(card);
  return { enrolment, card };
}

/** An operator may have retired the card in the middle. @throws DomainError `card-not-active` (conflict). */
export function demandUnfinished(card: Card): void {
  if (card.state === 'requested' || card.state === 'created') return;
  throw new DomainError('conflict', 'card-not-active', `The card is ${card.state}; ask for a new enrolment code.`);
}

export function enrolmentCompleted(): DomainError {
  return new DomainError('conflict', 'enrolment-completed', 'This enrolment is complete; its card is in use.');
}

export function aboutHeld({ enrolment, card }: Held): NonNullable<AuditEntry['about']> {
  return {
    personId: enrolment.personId,
    deviceId: enrolment.deviceId,
    cardId: card.id,
    enrolmentId: enrolment.id,
  };
}

export const asked = (intent: DeviceIntent) => ({ requestedBy: intent.actor.id, requestId: intent.requestId });
