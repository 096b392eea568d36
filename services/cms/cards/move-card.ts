import { DomainError } from '@cardwright/protocol';
import type { Intent } from '../kernel/actor.ts';
import type { AuditTrail } from '../kernel/audit-entry.ts';
import type { Runtime } from '../kernel/runtime.ts';
import type { Tx } from '../kernel/unit-of-work.ts';
import type { Card } from './card.ts';
import type { CardChange, CardEnding, CardRecords } from './ports.ts';
import { type CardAct, demandTransition } from './state.ts';

export interface MoveCardPorts {
  readonly cards: Pick<CardRecords, 'lock' | 'setState'>;
  readonly audit: AuditTrail;
  readonly runtime: Runtime;
  readonly cardEnding: CardEnding;
}

const ACTION: Record<CardAct, string> = {
  create: 'card.created',
  activate: 'card.activated',
  block: 'card.blocked',
  unblock: 'card.unblocked',
  lose: 'card.lost',
  compromise: 'card.compromised',
  retire: 'card.retired',
  destroy: 'card.destroyed',
};

/** A card that is lost or compromised is used no more: what was under way for it ends, as when it is retired. */
const ENDING: Partial<Readonly<Record<CardAct, 'retire' | 'destroy'>>> = {
  lose: 'retire',
  compromise: 'retire',
  retire: 'retire',
  destroy: 'destroy',
};

export const cardUnknown = (): DomainError => new DomainError('not-found', 'not-found', 'There is no such card.');

/**
 * Moves a card by the transition table, and records it, in the caller's transaction. Gives the card as it was before.
 * @throws DomainError `not-found`; the refusals of the transition table.
 */
export async function moveCard(
  ports: MoveCardPorts,
  tx: Tx,
  intent: Intent,
  move: { readonly cardId: string; readonly act: CardAct; readonly change?: CardChange },
): Promise<Card> {
  const card = await ports.cards.lock(tx, move.cardId);
  if (card === null) throw cardUnknown();
  const state = demandTransition(card.state, move.act);
  await ports.cards.setState(tx, card.id, state, ports.runtime.now(), move.change);
  await ports.audit.record(tx, intent, {
    action: ACTION[move.act],
    object: { kind: 'card', id: card.id },
    about: { personId: card.personId, deviceId: card.deviceId, cardId: card.id },
    before: { state: card.state },
    after: { state, ...move.change },
  });
  const ending = ENDING[move.act];
  if (ending !== undefined) await ports.cardEnding(tx, intent, card, ending);
  return card;
}
