import { DomainError } from '@cardwright/protocol';
import type { Card, CardMaker, Succession } from '../card/port.ts';
import { recordOf, successionOf } from '../store/card-record.ts';
import type { StoredCard, StoredKey } from '../store/document.ts';
import type { Store } from '../store/store.ts';
import type { Context } from './command.ts';

/** Throws `card-unknown` (not-found), `card-not-named` (invalid), `card-being-destroyed`, `card-retired` (conflict). */
export function chooseCard(store: Store, serial: string | undefined): StoredCard {
  const card = serial === undefined ? onlyCard(store) : bySerial(store.document.cards, serial);
  requireUsable(card);
  return card;
}

/** Throws `card-being-destroyed`, `card-retired`. */
export function requireUsable({ serial, state }: StoredCard): void {
  if (state === 'active') return;
  if (state === 'retired') {
    throw new DomainError(
      'conflict',
      'card-retired',
      `Card ${serial} was taken out of use by an operator. Remove it: cardwright-agent destroy --card ${serial}`,
    );
  }
  throw new DomainError(
    'conflict',
    'card-being-destroyed',
    `Card ${serial} is being destroyed. Finish it: cardwright-agent destroy --card ${serial}`,
  );
}

/** Of a card that is to be used with its PIN. Throws `hand-over-pending`. */
export function requireHandedOver({ serial, handOver }: StoredCard): void {
  if (handOver?.state !== 'sealed') return;
  throw new DomainError(
    'conflict',
    'hand-over-pending',
    `Nobody knows the first PIN of card ${serial} yet. Set your own, with the hand-over code: ` +
      `cardwright-agent hand-over --card ${serial}`,
  );
}

export function bySerial(cards: readonly StoredCard[], serial: string): StoredCard {
  const card = cards.find((known) => known.serial.toLowerCase() === serial.toLowerCase());
  if (card === undefined) throw noCard(cards);
  return card;
}

function onlyCard(store: Store): StoredCard {
  const { cards } = store.document;
  const usable = cards.filter((card) => card.state === 'active');
  const [card] = usable;
  if (card === undefined) throw noCard(cards);
  if (usable.length > 1) {
    throw new DomainError(
      'invalid',
      'card-not-named',
      `There are several cards; name one with --card: ${serials(usable)}.`,
    );
  }
  return card;
}

function noCard(cards: readonly StoredCard[]): DomainError {
  const detail =
    cards.length === 0
      ? 'There is no card in this store. Enrol one: cardwright-agent enrol --server URL --code CODE'
      : `No such card. This store has: ${serials(cards)}.`;
  return new DomainError('not-found', 'card-unknown', detail);
}

const serials = (cards: readonly StoredCard[]) => cards.map((card) => card.serial).join(', ');

/** The named container, or the card's first. Throws `container-unknown`. */
export function chooseKey(card: StoredCard, container: string | undefined): StoredKey {
  const key = container === undefined ? card.keys[0] : card.keys.find((known) => known.container === container);
  if (key === undefined) {
    const known = card.keys.map(({ container: name }) => name).join(', ');
    throw new DomainError(
      'not-found',
      'container-unknown',
      `Card ${card.serial} has no such container. It has: ${known}.`,
    );
  }
  return key;
}

/** Opens the card on this device. Throws `store-of-another-tpm`. */
export async function openCard(store: Store, cards: CardMaker, card: StoredCard): Promise<Card> {
  const { name } = await cards.parent();
  store.requireDevice(Buffer.from(name).toString('hex'));
  return cards.open(recordOf(card, name));
}

/**
 * While a person waited for an operator, `run` may have given the card another administrator key, and the answer may be by
 * that one.
 */
export function successionsNow(context: Context, directory: string | undefined, card: StoredCard): Succession[] {
  const now = context.readStore(directory).document.cards.find(({ cardId }) => cardId === card.cardId);
  return (now ?? card).successions.map(successionOf);
}
