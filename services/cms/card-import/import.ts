import type { Card, KeyOrigin } from '../cards/index.ts';

export type ImportState = 'proposed' | 'done' | 'refused';

/** What became of a line, or would. */
export interface LineReport {
  readonly line: number;
  readonly serial: string | null;
  readonly cardId: string | null;
  /** Why it can't be taken in. */
  readonly code: string | null;
  readonly detail: string | null;
  /** Another card has the same key. */
  readonly duplicate: boolean;
}

/** A line that is right as far as cms can tell. */
export interface PlannedCard {
  readonly line: number;
  readonly card: Pick<
    Card,
    'id' | 'serial' | 'personId' | 'deviceId' | 'profileName' | 'challengeMode' | 'keyStrategy'
  > & {
    readonly algorithm: 'tdes' | 'aes-128' | 'aes-192' | 'aes-256';
    readonly namedKey: string | null;
    readonly hasPuk: boolean;
  };
  /** JWE. */
  readonly jwe: string | null;
  readonly origin:
    | (Omit<Extract<KeyOrigin, { strategy: 'deterministic' }>, 'diversifier'> & { diversifier: string })
    | Extract<KeyOrigin, { strategy: 'uniform' }>
    | null;
  readonly kcv: string | null;
  readonly puk: string | null;
  /** Its key is known to others: the card is not in use until its device has changed it. */
  readonly takeOver?: boolean;
}

export interface CardImport {
  readonly id: string;
  readonly batchId: string;
  readonly state: ImportState;
  readonly acceptDuplicates: boolean;
  readonly lineCount: number;
  /** While proposed. */
  readonly plan: readonly PlannedCard[] | null;
  /** Afterwards. */
  readonly report: readonly LineReport[] | null;
  readonly createdBy: { readonly id: string; readonly name: string };
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
}

export const refusedLine = (line: number, serial: string | null, code: string, detail: string): LineReport => ({
  line,
  serial,
  cardId: null,
  code,
  detail,
  duplicate: false,
});

/** Whether all lines can be taken in. */
export const isRight = (report: readonly LineReport[], acceptDuplicates: boolean): boolean =>
  report.every((line) => line.code === null && (acceptDuplicates || !line.duplicate));
