import type { AttestationDesk } from '../attestation/index.ts';
import type { Intent } from '../kernel/actor.ts';
import { aboutHeld, asked, type DeviceIntent, holdUnfinished, type StepDependencies } from './device-steps.ts';
import type { FirstWriteApproval, WrappedKey } from './ports.ts';

export interface AdministratorKeyDependencies extends StepDependencies {
  readonly attestation: AttestationDesk;
}

/**
 * Has the vault make the card's administrator key, wrapped to the device's TPM. Asked again (a lost answer, a device
 * that begins anew) it makes the next version: no version is ever wrapped twice.
 * A device that was attested gets it for the storage key of its TPM alone, and one that was not gets none where the
 * profile demands attestation.
 * @throws DomainError `not-found`, `enrolment-cancelled`, `enrolment-completed`; those of the vault; `attestation-required`,
 *   `tpm-parent-not-attested` (unprocessable).
 */
export async function makeAdministratorKey(
  deps: AdministratorKeyDependencies,
  intent: DeviceIntent,
  enrolmentId: string,
  parentPublic: Uint8Array,
): Promise<WrappedKey> {
  const { unitOfWork, audit, keys, enrolments } = deps;
  const held = await unitOfWork.run(async (tx) => {
    const held = await holdUnfinished(deps, tx, intent, enrolmentId);
    const profile = await enrolments.profile(held.enrolment.profileName);
    if (profile === null) throw new Error(`enrolment ${enrolmentId} has a profile that does not exist`);
    await deps.attestation.demandParent(profile.attestation, intent.actor.id, parentPublic);
    await audit.record(tx, intent, {
      action: 'administrator-key.requested',
      object: { kind: 'card', id: held.card.id },
      about: aboutHeld(held),
    });
    return { ...held, profile };
  });
  const { profile } = held;
  const wrapped = await keys.makeKeyForTpm({
    ...asked(intent),
    cardId: held.card.id,
    strategy: profile.keyStrategy,
    parentPublic,
    pinLimit: profile.pinLimit,
  });
  await unitOfWork.run(async (tx) => {
    await deps.attestation.keyMade(tx, held.card.id, wrapped.keyVersion, wrapped.name);
    await audit.record(tx, intent, {
      action: 'administrator-key.made',
      object: { kind: 'card', id: held.card.id },
      about: aboutHeld(held),
      after: { keyVersion: wrapped.keyVersion, name: Buffer.from(wrapped.name).toString('hex') },
    });
  });
  return wrapped;
}

export interface FirstWriteInput {
  readonly keyVersion: number;
  /** TPM handle of the PIN index. */
  readonly nvIndex: number;
  /** nonceTPM of the policy session, 16 bytes. */
  readonly nonce: Uint8Array;
}

/**
 * Has the vault sign the first write of the PIN index, which it does once a key version: a second signature would hand
 * the card over (the TPM's Name of an index does not cover its PIN).
 * @throws DomainError `not-found`, `enrolment-cancelled`, `enrolment-completed`; those of the vault, `first-write-already-signed` among them.
 */
export async function approveFirstWrite(
  deps: AdministratorKeyDependencies,
  intent: DeviceIntent,
  enrolmentId: string,
  input: FirstWriteInput,
): Promise<FirstWriteApproval> {
  const { unitOfWork, audit, keys, cards, runtime } = deps;
  const after = { keyVersion: input.keyVersion, nvIndex: input.nvIndex };
  const record = (
    tx: Parameters<typeof audit.record>[0],
    by: Intent,
    action: string,
    held: Parameters<typeof aboutHeld>[0],
  ) => audit.record(tx, by, { action, object: { kind: 'card', id: held.card.id }, about: aboutHeld(held), after });

  const cardId = await unitOfWork.run(async (tx) => {
    const held = await holdUnfinished(deps, tx, intent, enrolmentId);
    await record(tx, intent, 'first-write.requested', held);
    return held.card.id;
  });
  const approval = await keys.signFirstWrite({ ...asked(intent), cardId, ...input });
  // Recorded before the device has it: from here on the card's key version is the one that is on the card.
  await unitOfWork.run(async (tx) => {
    const held = await holdUnfinished(deps, tx, intent, enrolmentId);
    await cards.setState(tx, cardId, held.card.state, runtime.now(), after);
    await deps.attestation.firstWritten(tx, cardId, input.keyVersion, input.nvIndex);
    await record(tx, intent, 'first-write.approved', held);
  });
  return approval;
}
