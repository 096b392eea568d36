import { type Card, type CardChange, type CardRecords, type MoveCardPorts, moveCard } from '../cards/index.ts';
import type { Intent } from '../kernel/actor.ts';
import type { Tx, UnitOfWork } from '../kernel/unit-of-work.ts';
import { changeAfter, type KeyChange } from './key-change.ts';
import { REPLACED_STRATEGY } from './offer-key.ts';
import type { ChangingKeys, KeyChangeRecords } from './ports.ts';

export interface ConfirmChangePorts extends MoveCardPorts {
  readonly changes: KeyChangeRecords;
  readonly cards: CardRecords;
  readonly vault: ChangingKeys;
  readonly unitOfWork: UnitOfWork;
  /** Told of what the vault could not be told now. For the log. */
  readonly onUnconfirmed: (error: unknown) => void;
}

/** Of what the record says of a confirmation, before and after. */
async function record(
  { audit }: Pick<ConfirmChangePorts, 'audit'>,
  tx: Tx,
  intent: Intent,
  action: string,
  { card, change, state }: { readonly card: Card; readonly change: KeyChange; readonly state: KeyChange['state'] },
): Promise<void> {
  await audit.record(tx, intent, {
    action,
    object: { kind: 'key-change', id: change.id },
    about: { cardId: card.id, personId: card.personId, deviceId: card.deviceId },
    before: { state: change.state, keyVersion: change.fromVersion },
    after: { state, keyVersion: change.toVersion },
  });
}

/**
 * First phase, in the transaction that holds the card: the device says that the card has the new key. From here on the
 * worker completes the change if this process does not come to {@link confirmReported}.
 */
export async function noteReported(
  ports: Pick<ConfirmChangePorts, 'changes' | 'audit' | 'runtime'>,
  tx: Tx,
  intent: Intent,
  card: Card,
  change: KeyChange,
): Promise<void> {
  const state = changeAfter(change.state, 'confirm');
  await ports.changes.update(tx, change.id, { reportedAt: ports.runtime.now() });
  await record(ports, tx, intent, 'key-change.confirmation-requested', { card, change, state });
}

/**
 * Second phase, in no transaction: the vault makes the new key the confirmed one and destroys the bytes of the old one;
 * then the card has it here too. Repeatable, and safe beside another that does the same.
 * @throws DomainError of the vault.
 */
export async function confirmReported(ports: ConfirmChangePorts, intent: Intent, changeId: string): Promise<void> {
  const { changes, cards, vault, unitOfWork, runtime } = ports;
  const change = await changes.find(changeId);
  if (change === null || !isReported(change)) return;
  const { cardId, toVersion: keyVersion } = change;
  await vault.confirmChange({ requestedBy: intent.actor.id, requestId: intent.requestId, cardId, keyVersion });
  await unitOfWork.run(async (tx) => {
    const card = await cards.lock(tx, cardId);
    const now = await changes.read(tx, changeId);
    if (card === null || now === null || !isReported(now)) return;
    const state = changeAfter(now.state, 'confirm');
    await changes.update(tx, changeId, { state, confirmedAt: runtime.now() });
    await putIntoUse(ports, tx, intent, card, now);
    await record(ports, tx, intent, 'key-change.confirmed', { card, change: now, state });
  });
}

/** For the worker: says first what it is going to ask the vault for, under its own request. */
export async function completeReported(ports: ConfirmChangePorts, intent: Intent, changeId: string): Promise<void> {
  const { changes, cards, unitOfWork } = ports;
  const found = await changes.find(changeId);
  if (found === null || !isReported(found)) return;
  await unitOfWork.run(async (tx) => {
    const card = await cards.lock(tx, found.cardId);
    const change = await changes.read(tx, changeId);
    if (card === null || change === null || !isReported(change)) return;
    await noteReported(ports, tx, intent, card, change);
  });
  await confirmReported(ports, intent, changeId);
}

/**
 * The same for a card whose key the vault says is the new one, and that is to be answered for now: whoever was at it was
 * cut off after the vault had done it, and the worker will come to it later. Without such a change nothing is done.
 */
export async function completeOfCard(ports: ConfirmChangePorts, intent: Intent, cardId: string): Promise<void> {
  const { changes, cards, unitOfWork } = ports;
  const reported = await unitOfWork.run(async (tx) => {
    await cards.lock(tx, cardId);
    return changes.openOfCard(tx, cardId);
  });
  if (reported !== null) await completeReported(ports, intent, reported.id);
}

/** What the device said is stored, so nothing is lost when the vault is away: the worker goes on. Never throws for it. */
export async function confirmSoon(ports: ConfirmChangePorts, intent: Intent, changeId: string): Promise<void> {
  await confirmReported(ports, intent, changeId).catch(ports.onUnconfirmed);
}

type Reported = KeyChange & { readonly toVersion: number };
const isReported = (change: KeyChange): change is Reported =>
  change.reportedAt !== null && change.toVersion !== null && (change.state === 'offered' || change.state === 'failed');

async function putIntoUse(
  ports: ConfirmChangePorts,
  tx: Tx,
  intent: Intent,
  card: Card,
  { kind, toVersion: keyVersion }: Reported,
): Promise<void> {
  const own: CardChange =
    kind === 'rotation' ? {} : { keyStrategy: REPLACED_STRATEGY, namedKey: null, takeOverPending: false };
  const change: CardChange = { ...own, keyVersion };
  if (card.takeOverPending && card.state === 'created') {
    await moveCard(ports, tx, intent, { cardId: card.id, act: 'activate', change });
  } else {
    await ports.cards.setState(tx, card.id, card.state, ports.runtime.now(), change);
  }
}
