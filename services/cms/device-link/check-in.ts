import {
  type CardChange,
  type CardRecords,
  cardUnknown,
  type MoveCardPorts,
  moveCard,
  stateAfter,
} from '../cards/index.ts';
import type { Actor, Intent } from '../kernel/actor.ts';
import type { Runtime } from '../kernel/runtime.ts';
import type { UnitOfWork } from '../kernel/unit-of-work.ts';
import type { RevocationService } from '../revocation/index.ts';
import type { LinkedDevices } from './ports.ts';

export interface DeviceLinkDependencies extends MoveCardPorts {
  readonly cards: CardRecords;
  readonly devices: LinkedDevices;
  readonly revocations: RevocationService;
  readonly unitOfWork: UnitOfWork;
  readonly runtime: Runtime;
}

type DeviceIntent = Intent & { readonly actor: Extract<Actor, { kind: 'device' }> };

export interface CardReport {
  readonly cardId: string;
  readonly triesLeft: number;
  readonly blocked: boolean;
}

/**
 * The device says how its cards are. A report moves a card only between active and blocked, and only its own device's;
 * cards that are not this device's are left out of the answer.
 */
export async function checkIn(
  deps: DeviceLinkDependencies,
  intent: DeviceIntent,
  reports: readonly CardReport[],
): Promise<{ cardId: string; state: string }[]> {
  const { cards, devices, unitOfWork, runtime } = deps;
  return unitOfWork.run(async (tx) => {
    await devices.seen(tx, intent.actor.id, runtime.now());
    const states: { cardId: string; state: string }[] = [];
    // In one order everywhere, so that two check-ins at once can't wait for each other.
    for (const report of [...reports].sort((a, b) => a.cardId.localeCompare(b.cardId))) {
      const card = await cards.lock(tx, report.cardId);
      if (card === null || card.deviceId !== intent.actor.id) continue;
      const act = report.blocked ? 'block' : card.state === 'blocked' ? 'unblock' : null;
      const state = act === null ? null : stateAfter(card.state, act);
      const change: CardChange = { triesLeft: report.triesLeft };
      if (act !== null && state !== null && state !== card.state) {
        await moveCard(deps, tx, intent, { cardId: card.id, act, change });
      } else if (card.triesLeft !== report.triesLeft) {
        await cards.setState(tx, card.id, card.state, runtime.now(), change);
      }
      states.push({ cardId: card.id, state: state ?? card.state });
    }
    return states;
  });
}

/**
 * The device has destroyed the card in its TPM, or given up making it: its certificates are revoked. Idempotent.
 * @throws DomainError `not-found`.
 */
export async function destroyCard(deps: DeviceLinkDependencies, intent: DeviceIntent, cardId: string): Promise<void> {
  const { cards, revocations, unitOfWork } = deps;
  const certificateIds = await unitOfWork.run(async (tx) => {
    const card = await cards.lock(tx, cardId);
    if (card === null || card.deviceId !== intent.actor.id) throw cardUnknown();
    if (card.state === 'destroyed') return [];
    await moveCard(deps, tx, intent, { cardId, act: 'destroy' });
    const comment = 'the card was destroyed on its device';
    return revocations.proposeForCard(tx, intent, cardId, { reason: 'cessationOfOperation', comment });
  });
  await revocations.confirmAll(intent, certificateIds);
}
