import type { Intent } from '../kernel/actor.ts';
import type { Tx } from '../kernel/unit-of-work.ts';
import type { CardImport, LineReport, PlannedCard } from './import.ts';

/** What the lines of an import name, looked up for all of them at once. */
export interface ImportDirectory {
  /** By user principal name, in lower case. */
  people(userPrincipalNames: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** By host name or id, in lower case; a host name of several devices has them all. */
  devices(names: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>;
  /** Which of these some card has. */
  takenSerials(serials: readonly string[]): Promise<ReadonlySet<string>>;
  /** `person device`, of those that have a live card. */
  livePairs(deviceIds: readonly string[]): Promise<ReadonlySet<string>>;
}

export interface CardImports {
  find(id: string): Promise<CardImport | null>;
  lock(tx: Tx, id: string): Promise<CardImport | null>;
  /** @returns false when there is one of that id that was not refused; a refused one is replaced. */
  propose(tx: Tx, proposed: CardImport): Promise<boolean>;
  finish(tx: Tx, id: string, state: 'done' | 'refused', report: readonly LineReport[], at: Date): Promise<void>;
  /** @returns the lines whose card can't be: somebody else took the serial, or the place on the device, meanwhile. */
  insertCards(tx: Tx, plan: readonly PlannedCard[], at: Date): Promise<readonly number[]>;
  /** Oldest first. */
  proposedBefore(before: Date, limit: number): Promise<string[]>;
}

export interface BatchVerdict {
  readonly stored: boolean;
  readonly lines: readonly {
    readonly code: string | null;
    readonly detail: string | null;
    readonly duplicate: boolean;
  }[];
}

/** What an import needs of the vault. */
export interface BatchKeys {
  take(
    batch: { batchId: string; dryRun: boolean; acceptDuplicates: boolean; cards: readonly PlannedCard[] },
    intent: Intent,
  ): Promise<BatchVerdict>;
}
