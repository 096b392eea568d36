import type { Intent } from '../kernel/actor.ts';
import type { Tx } from '../kernel/unit-of-work.ts';

export interface PukCard {
  readonly id: string;
  readonly personId: string;
  readonly deviceId: string | null;
  readonly hasPuk: boolean;
  readonly pukShownAt: Date | null;
}

export interface PukCards {
  lock(tx: Tx, cardId: string): Promise<PukCard | null>;
  setShown(tx: Tx, cardId: string, at: Date): Promise<void>;
}

/** What this needs of the vault, which shows a PUK once. */
export interface Puks {
  show(cardId: string, intent: Intent): Promise<string>;
}
