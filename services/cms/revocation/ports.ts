import type { Tx } from '../kernel/unit-of-work.ts';
import type { Revocation } from './revocation.ts';

export interface Revocations {
  insert(tx: Tx, revocation: Omit<Revocation, 'state' | 'confirmedAt'>): Promise<void>;
  find(certificateId: string): Promise<Revocation | null>;
  findIn(tx: Tx, certificateId: string): Promise<Revocation | null>;
  confirm(tx: Tx, id: string, revokedAt: Date, confirmedAt: Date): Promise<void>;
  /** Certificates whose revocation the CA has not confirmed, oldest first. */
  proposedBefore(before: Date, limit: number): Promise<string[]>;
}
