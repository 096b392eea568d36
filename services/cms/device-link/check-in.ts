import {
  type Card,
  type CardChange,
  type CardRecords,
  cardUnknown,
  type MoveCardPorts,
  moveCard,
  stateAfter,
} from '../cards/index.ts';
import type { Actor, Intent } from '../kernel/actor.ts';
import type { Runtime } from '../kernel/runtime.ts';
import type { Tx, UnitOfWork } from '../kernel/unit-of-work.ts';
import { confirmSoon, giveUpChange, noteVersion, type ReportedVersionPorts } from '../key-changes/index.ts';
import type { RevocationService } from '../revocation/index.ts';
import {
  actOfOutcome,
  deliverTasks,
  EXHAUSTED,
  type TaskEffect,
  type TaskReport,
  type TaskView,
} from '../tasks/index.ts';
import type { AgentFacts, LinkedDevices } from './ports.ts';

export interface DeviceLinkDependencies extends MoveCardPorts, ReportedVersionPorts {
  readonly cards: CardRecords;
  readonly devices: LinkedDevices;
  readonly revocations: RevocationService;
  /** Its holder has a PIN of their own now. */
  readonly handedOver: (tx: Tx, intent: Intent, card: Card) => Promise<void>;
  readonly unitOfWork: UnitOfWork;
  readonly runtime: Runtime;
}

type DeviceIntent = Intent & { readonly actor: Extract<Actor, { kind: 'device' }> };

export interface CardReport {
  readonly cardId: string;
  readonly triesLeft: number;
  readonly blocked: boolean;
  /** The newest that the device has, or that it knows the card to have. */
  readonly administratorKeyVersion?: number | undefined;
  /** Of a card whose first PIN is handed over: whether its holder has set their own. */
  readonly initialPin?: 'pending' | 'set' | undefined;
}

export interface CheckIn {
  readonly cards: readonly { readonly cardId: string; readonly state: string }[];
  /** In the order in which they are to be done. */
  readonly tasks: readonly TaskView[];
  readonly nextCheckInSeconds: number;
}

/** A blocked card is seen within the quarter of an hour, and a fleet of 100,000 asks some 110 times a second. */
const USUAL_SECONDS = 900;
/** While something is under way, its outcome is waited for. */
const BUSY_SECONDS = 60;

/**
 * The device says how its cards are, and hears what it is to do. A report moves a card only between active and blocked,
 * and only its own device's; cards that are not this device's are left out of the answer. What it says of a card's key
 * completes a change whose report was lost.
 */
export async function checkIn(
  deps: DeviceLinkDependencies,
  intent: DeviceIntent,
  reports: readonly CardReport[],
  facts: AgentFacts,
): Promise<CheckIn> {
  const { cards, devices, unitOfWork, runtime } = deps;
  const { confirm, ...answer } = await unitOfWork.run(async (tx) => {
    await devices.checkedIn(tx, intent.actor.id, runtime.now(), facts);
    const states: { cardId: string; state: string }[] = [];
    const confirm: string[] = [];
    const again: TaskView[] = [];
    const withheld = new Set<string>();
    // In one order everywhere, so that two check-ins at once can't wait for each other.
    for (const report of [...reports].sort((a, b) => a.cardId.localeCompare(b.cardId))) {
      const card = await cards.lock(tx, report.cardId);
      if (card === null || card.deviceId !== intent.actor.id) continue;
      states.push({ cardId: card.id, state: await noteState(deps, tx, intent, card, report) });
      if (report.initialPin === 'set') await deps.handedOver(tx, intent, card);
      if (report.administratorKeyVersion === undefined) continue;
      const noted = await noteVersion(deps, tx, intent, card, report.administratorKeyVersion);
      if (noted.confirm !== null) confirm.push(noted.confirm);
      if (noted.again !== null) again.push(noted.again);
      if (noted.withheld !== null) withheld.add(noted.withheld);
    }
    const giveUp = (task: TaskView) => giveUpChange(deps, tx, intent, task, EXHAUSTED);
    const tasks = [...again, ...(await deliverTasks(deps, tx, intent, withheld, giveUp))];
    return { cards: states, tasks, confirm };
  });
  for (const changeId of confirm) await confirmSoon(deps, intent, changeId);
  return { ...answer, nextCheckInSeconds: answer.tasks.length > 0 ? BUSY_SECONDS : USUAL_SECONDS };
}

async function noteState(
  deps: DeviceLinkDependencies,
  tx: Tx,
  intent: DeviceIntent,
  card: Card,
  { triesLeft, blocked }: CardReport,
): Promise<string> {
  const act = blocked ? 'block' : card.state === 'blocked' ? 'unblock' : null;
  const state = act === null ? null : stateAfter(card.state, act);
  const change: CardChange = { triesLeft };
  if (act !== null && state !== null && state !== card.state) {
    await moveCard(deps, tx, intent, { cardId: card.id, act, change });
  } else if (card.triesLeft !== triesLeft) {
    await deps.cards.setState(tx, card.id, card.state, deps.runtime.now(), change);
  }
  return state ?? card.state;
}

/**
 * The device has destroyed the card in its TPM, or given up making it: its certificates are revoked. Idempotent.
 * @throws DomainError `not-found`.
 */
export async function destroyCard(deps: DeviceLinkDependencies, intent: DeviceIntent, cardId: string): Promise<void> {
  const certificateIds = await deps.unitOfWork.run((tx) => noteDestroyed(deps, tx, intent, cardId));
  await deps.revocations.confirmAll(intent, certificateIds);
}

/** The same as the result of the task that asked for it. In the transaction of the report. */
export function reportedDestruction(deps: DeviceLinkDependencies) {
  return async function apply(
    tx: Tx,
    intent: DeviceIntent,
    task: Pick<TaskView, 'cardId' | 'work' | 'attempts'>,
    { outcome, code }: Pick<TaskReport, 'outcome' | 'code'>,
  ): Promise<TaskEffect> {
    // A device that does not have the card will not have it tomorrow; and it proves nothing about the card.
    if (outcome === 'failed') return { act: code === 'card-unknown' ? 'fail' : actOfOutcome(task, outcome) };
    if (task.cardId === null) throw cardUnknown();
    const certificateIds = await noteDestroyed(deps, tx, intent, task.cardId);
    return { act: 'finish', afterwards: () => deps.revocations.confirmAll(intent, certificateIds) };
  };
}

async function noteDestroyed(
  deps: DeviceLinkDependencies,
  tx: Tx,
  intent: DeviceIntent,
  cardId: string,
): Promise<readonly string[]> {
  const card = await deps.cards.lock(tx, cardId);
  if (card === null || card.deviceId !== intent.actor.id) throw cardUnknown();
  if (card.state === 'destroyed') return [];
  await moveCard(deps, tx, intent, { cardId, act: 'destroy' });
  const comment = 'the card was destroyed on its device';
  return deps.revocations.proposeForCard(tx, intent, cardId, { reason: 'cessationOfOperation', comment });
}
