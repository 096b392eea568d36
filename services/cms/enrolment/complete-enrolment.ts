import { DomainError } from '@cardwright/protocol';
import { moveCard } from '../cards/index.ts';
import type { CertificateRecords } from '../certificates/index.ts';
import type { Tx } from '../kernel/unit-of-work.ts';
import type { RevocationService, Revocations } from '../revocation/index.ts';
import { aboutHeld, asked, type DeviceIntent, type Held, hold, type StepDependencies } from './device-steps.ts';
import { replaceCard } from './replace-card.ts';

export interface CompleteDependencies extends StepDependencies {
  readonly certificates: CertificateRecords;
  readonly revocationRecords: Revocations;
  readonly revocations: RevocationService;
}

/**
 * The last step. The key is confirmed in the vault before the card becomes active, so that every active card's PIN can
 * be reset. The card that a reissue replaces is retired with it. Idempotent; after a crash anywhere in it, asking again completes it.
 * @throws DomainError `not-found`, `enrolment-cancelled`, `enrolment-not-finished`, `nv-index-not-of-this-card`,
 *   `card-already-active`; those of the vault.
 */
export async function completeEnrolment(
  deps: CompleteDependencies,
  intent: DeviceIntent,
  enrolmentId: string,
  nvIndex: number,
): Promise<void> {
  const { unitOfWork, audit, enrolments, keys, runtime } = deps;
  const toConfirm = await unitOfWork.run(async (tx) => {
    const held = await hold(deps, tx, intent, enrolmentId);
    if (held.enrolment.state === 'completed') return null;
    const keyVersion = await demandFinished(deps, tx, held, nvIndex);
    await audit.record(tx, intent, {
      action: 'enrolment.completion-requested',
      object: { kind: 'enrolment', id: enrolmentId },
      about: aboutHeld(held),
      after: { keyVersion, nvIndex },
    });
    return { cardId: held.card.id, keyVersion };
  });
  if (toConfirm === null) return;
  await keys.confirmKey({ ...asked(intent), ...toConfirm });
  const superseded = await unitOfWork.run(async (tx) => {
    const held = await hold(deps, tx, intent, enrolmentId);
    if (held.enrolment.state === 'completed') return [];
    const keyVersion = await demandFinished(deps, tx, held, nvIndex);
    if (keyVersion !== toConfirm.keyVersion) throw notFinished('The card was written anew meanwhile; ask again.');
    await moveCard(deps, tx, intent, {
      cardId: held.card.id,
      act: 'activate',
      change: held.card.pinLimit === null ? {} : { triesLeft: held.card.pinLimit },
    });
    await enrolments.setCompleted(tx, enrolmentId, runtime.now());
    await audit.record(tx, intent, {
      action: 'enrolment.completed',
      object: { kind: 'enrolment', id: enrolmentId },
      about: aboutHeld(held),
      before: { state: 'claimed' },
      after: { state: 'completed' },
    });
    return replaceCard(deps, tx, intent, held);
  });
  await deps.revocations.confirmAll(intent, superseded);
}

async function demandFinished(deps: CompleteDependencies, tx: Tx, held: Held, nvIndex: number): Promise<number> {
  const { card, enrolment } = held;
  if (card.state !== 'created' || card.keyVersion === null) {
    throw notFinished('The card has to be written and its certificates asked for first.');
  }
  if (card.nvIndex !== nvIndex) {
    throw new DomainError(
      'unprocessable',
      'nv-index-not-of-this-card',
      'The card was written to another TPM index than this one.',
    );
  }
  const profile = await deps.enrolments.profile(enrolment.profileName);
  const certificates = await deps.certificates.ofEnrolment(tx, enrolment.id);
  for (const { container } of profile?.containers ?? []) {
    const active = certificates.find((one) => one.container === container && one.status === 'active');
    if (active === undefined || (await deps.revocationRecords.findIn(tx, active.id)) !== null) {
      throw notFinished(`The container ${container} has no certificate yet.`);
    }
  }
  return card.keyVersion;
}

function notFinished(detail: string): DomainError {
  return new DomainError('conflict', 'enrolment-not-finished', detail);
}
