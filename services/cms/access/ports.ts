import type { Secret } from '@cardwright/protocol';
import type { Role } from '../kernel/actor.ts';
import type { Tx } from '../kernel/unit-of-work.ts';

export interface Operator {
  readonly id: string;
  readonly name: string;
  readonly displayName: string;
  readonly role: Role;
}

export interface OperatorRecords {
  /** Not those who are disabled. `passwordHash` null: may use tokens only. */
  findForSignIn(name: string): Promise<(Operator & { readonly passwordHash: string | null }) | null>;
  openSession(
    tx: Tx,
    session: { tokenHash: Uint8Array; operatorId: string; createdAt: Date; expiresAt: Date },
  ): Promise<void>;
  /** False when there was none. */
  closeSession(tx: Tx, tokenHash: Uint8Array): Promise<boolean>;
  /** Those that have expired count for nothing; this is only so that they don't pile up. Gives how many. */
  dropEndedSessions(now: Date): Promise<number>;
}

export interface OperatorAdministration {
  find(tx: Tx, name: string): Promise<Operator | null>;
  create(tx: Tx, operator: Operator & { readonly createdAt: Date }): Promise<void>;
  change(tx: Tx, operator: Operator): Promise<void>;
  /** Ends the operator's sessions: whoever knew the password before is signed out. */
  setPassword(tx: Tx, operatorId: string, passwordHash: string): Promise<void>;
  /** In place of all that the operator had. */
  setToken(tx: Tx, operatorId: string, tokenHash: Uint8Array, at: Date): Promise<void>;
}

export interface PasswordHash {
  hash(password: Secret): Promise<string>;
  /** Costs the same whether it fits or not. */
  verify(passwordHash: string, password: Secret): Promise<boolean>;
  /** A hash that no password fits, of the same cost: for names that no operator has. */
  decoy(): Promise<string>;
}
