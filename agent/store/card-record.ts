import type { Bytes, CardRecord } from '../card/port.ts';
import type { StoredCard } from './document.ts';

/** What the card port needs to find a card, from what the store keeps of it. */
export function recordOf(card: Pick<StoredCard, 'slot' | 'key' | 'pinLimit'>, parentName: Bytes): CardRecord {
  return {
    slot: card.slot,
    parentName,
    administratorKeyName: Buffer.from(card.key.name, 'hex'),
    administratorKey: Buffer.from(card.key.blob, 'base64'),
    pinLimit: card.pinLimit,
  };
}
