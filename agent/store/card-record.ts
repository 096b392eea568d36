import type { Bytes, CardRecord, Succession } from '../card/port.ts';
import type { StoredCard, StoredSuccession } from './document.ts';

/** What the card port needs to find a card, from what the store keeps of it. */
export function recordOf(
  card: Pick<StoredCard, 'slot' | 'key' | 'pinLimit'> & Partial<Pick<StoredCard, 'successions'>>,
  parentName: Bytes,
): CardRecord {
  return {
    slot: card.slot,
    parentName,
    administratorKeyName: Buffer.from(card.key.name, 'hex'),
    administratorKey: Buffer.from(card.key.blob, 'base64'),
    successions: (card.successions ?? []).map(successionOf),
    pinLimit: card.pinLimit,
  };
}

export function successionOf({ name, blob, approval }: Omit<StoredSuccession, 'keyVersion'>): Succession {
  return {
    name: Buffer.from(name, 'hex'),
    key: Buffer.from(blob, 'base64'),
    approval: {
      approvedPolicy: Buffer.from(approval.approvedPolicy, 'base64'),
      signature: Buffer.from(approval.signature, 'base64'),
    },
  };
}

/** What the server is told of a first PIN that is handed over; nothing of any other. */
export function initialPinOf({ handOver }: Pick<StoredCard, 'handOver'>): { initialPin?: 'pending' | 'set' } {
  return handOver === null ? {} : { initialPin: handOver.state === 'set' ? 'set' : 'pending' };
}

/** The version of the key that the card obeys first: what the server is told. */
export function administratorKeyVersion({ key, successions }: Pick<StoredCard, 'key' | 'successions'>): number {
  return successions.at(-1)?.keyVersion ?? key.keyVersion;
}
