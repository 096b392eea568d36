import { DomainError } from '@cardwright/protocol';
import type { Intent } from '../kernel/actor.ts';
import { isConfirmationCode, makeConfirmationCode } from '../kernel/confirmation-code.ts';
import { aboutHeld, type DeviceIntent, type Held, holdUnfinished, type StepDependencies } from './device-steps.ts';
import { assertMay, enrolmentNotFound, type Supervision, whyNothingToConfirm } from './enrolment.ts';
import { demandNotOneself, type Verification } from './method.ts';
import type { Vouchers } from './ports.ts';

/*
 * A first PIN under supervision: the person types it at the device, an operator looks on, and says so with the code that the
 * device shows. Until then there is no certificate. What the operator confirms is bound to the key with which the card was
 * written: a card that is made anew has another PIN, and is confirmed anew.
 */

export interface SupervisionDependencies extends StepDependencies {
  readonly vouchers: Vouchers;
}

/**
 * For the device, when the card is written; again for the same card it gives the same.
 * @throws DomainError as {@link holdUnfinished}; `supervision-not-asked`, `first-write-missing` (conflict).
 */
export async function askSupervision(
  deps: SupervisionDependencies,
  intent: DeviceIntent,
  enrolmentId: string,
): Promise<Supervision> {
  return deps.unitOfWork.run(async (tx) => {
    const held = await holdUnfinished(deps, tx, intent, enrolmentId);
    const { enrolment, card } = held;
    if (enrolment.initialPin !== 'supervised') throw conflict(whyNothingToConfirm(enrolment));
    if (card.keyVersion === null) {
      throw new DomainError(
        'conflict',
        'first-write-missing',
        'The card has to be written before its PIN is confirmed.',
      );
    }
    const { supervision } = enrolment;
    if (supervision?.keyVersion === card.keyVersion) return supervision;
    const asked = { confirmationCode: makeConfirmationCode(deps.runtime), keyVersion: card.keyVersion };
    await deps.enrolments.setSupervision(tx, enrolmentId, asked);
    await deps.audit.record(tx, intent, {
      action: 'enrolment.initial-pin-set',
      object: { kind: 'enrolment', id: enrolmentId },
      about: aboutHeld(held),
      after: { keyVersion: card.keyVersion },
    });
    return { ...asked, confirmedAt: null };
  });
}

export interface PinConfirmation {
  /** As the device shows it. */
  readonly confirmationCode: string;
  readonly verification: Verification;
}

/**
 * An operator saw who typed the PIN.
 * @throws DomainError `not-found`; `enrolment-not-claimed`, `-completed`, `-cancelled`, `supervision-not-asked`,
 *   `initial-pin-not-set`, `initial-pin-confirmed` (conflict); `confirmation-code-wrong` (unprocessable);
 *   `vouching-for-oneself` (forbidden).
 */
export async function confirmInitialPin(
  deps: SupervisionDependencies,
  intent: Intent,
  enrolmentId: string,
  { confirmationCode, verification }: PinConfirmation,
): Promise<void> {
  const { enrolments, runtime } = deps;
  await deps.unitOfWork.run(async (tx) => {
    const enrolment = await enrolments.lock(tx, enrolmentId);
    if (enrolment === null) throw enrolmentNotFound();
    assertMay('supervise', enrolment, runtime.now());
    const nothing = whyNothingToConfirm(enrolment);
    if (nothing !== null) throw conflict(nothing);
    if (!isConfirmationCode(enrolment.supervision?.confirmationCode ?? null, confirmationCode)) throw wrongCode();
    const person = await enrolments.person(enrolment.personId);
    if (person === null) throw new Error(`enrolment ${enrolmentId} is of nobody`);
    demandNotOneself(intent.actor.name, person);
    const createdAt = runtime.now();
    await enrolments.setPinConfirmed(tx, enrolmentId, createdAt);
    const id = runtime.newId();
    await deps.vouchers.add(tx, { id, enrolmentId, kind: 'initial-pin', by: intent.actor, verification, createdAt });
    const claimed = enrolment.state === 'claimed' ? enrolment : { deviceId: null, cardId: null };
    await deps.audit.record(tx, intent, {
      action: 'enrolment.initial-pin-confirmed',
      object: { kind: 'enrolment', id: enrolmentId },
      about: { personId: enrolment.personId, enrolmentId, deviceId: claimed.deviceId, cardId: claimed.cardId },
      verification,
      after: { keyVersion: enrolment.supervision?.keyVersion },
    });
  });
}

/** Before a certificate is issued. @throws DomainError `initial-pin-not-confirmed` (conflict). */
export function demandSupervised({ enrolment, card }: Held): void {
  if (enrolment.initialPin !== 'supervised') return;
  const { supervision } = enrolment;
  if (supervision !== null && supervision.confirmedAt !== null && supervision.keyVersion === card.keyVersion) return;
  const detail = 'An operator has to confirm first that the PIN of this card was set under their eyes.';
  throw new DomainError('conflict', 'initial-pin-not-confirmed', detail);
}

function conflict(why: { readonly code: string; readonly detail: string } | null): DomainError {
  if (why === null) throw new Error('there is nothing to refuse');
  return new DomainError('conflict', why.code, why.detail);
}

function wrongCode(): DomainError {
  const detail = 'This is not the confirmation code that the device shows; have it read out again.';
  return new DomainError('unprocessable', 'confirmation-code-wrong', detail, {
    fields: [{ pointer: '/confirmationCode', detail }],
  });
}
