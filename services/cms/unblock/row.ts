import type { SessionWithCard } from './ports.ts';
import { RECORDED_METHODS, type SessionState, type UnblockSession, type Verification } from './session.ts';

/** A session as the database gives it: the sets are open there in type, and closed by its checks. */
export interface SessionRow {
  readonly id: string;
  readonly cardId: string;
  readonly origin: string;
  readonly state: string;
  readonly confirmationCode: string | null;
  readonly challenge: string | null;
  readonly verification: unknown;
  readonly reason: string | null;
  readonly ticket: string | null;
  readonly openedById: string | null;
  readonly openedByName: string | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly answeredAt: Date | null;
}

export function toSession(row: SessionRow): UnblockSession {
  const { id, cardId, reason, ticket, createdAt, expiresAt, answeredAt, confirmationCode, challenge } = row;
  const common = {
    id,
    cardId,
    state: row.state as SessionState,
    verification: toVerification(row.verification),
    reason,
    ticket,
    openedBy: row.openedById === null ? null : { id: row.openedById, name: row.openedByName ?? '' },
    createdAt,
    expiresAt,
    answeredAt,
  };
  if (row.origin === 'operator') return { ...common, origin: 'operator' };
  if (confirmationCode === null || challenge === null) {
    throw new Error(`unblock session ${id} is of a device and has no challenge`);
  }
  return { ...common, origin: 'device', confirmationCode, challenge };
}

export interface CardRow {
  readonly serial: string;
  readonly personId: string;
  readonly deviceId: string | null;
  readonly kind: string;
  readonly algorithm: string;
  readonly challengeMode: string;
  readonly keyVersion: number | null;
  readonly takeOverPending: boolean;
  readonly keyStrategy: string;
  readonly hasPuk: boolean;
  /** pg gives a bigint as text, Prisma as a bigint. */
  readonly nvIndex: string | bigint | null;
  readonly state: string;
}

export function toUnblockCard(id: string, row: CardRow): SessionWithCard['card'] {
  const { serial, personId, deviceId, algorithm, keyVersion, takeOverPending, keyStrategy, hasPuk, state } = row;
  return {
    id,
    serial,
    personId,
    deviceId,
    kind: row.kind === 'tpm' ? 'tpm' : 'minidriver',
    algorithm,
    challengeMode: row.challengeMode === 'cbc' ? 'cbc' : 'ecb',
    keyVersion,
    takeOverPending,
    keyStrategy,
    hasPuk,
    nvIndex: row.nvIndex === null ? null : Number(row.nvIndex),
    state,
  };
}

function toVerification(value: unknown): Verification | null {
  if (typeof value !== 'object' || value === null || !('method' in value) || !('evidence' in value)) return null;
  const method = RECORDED_METHODS.find((known) => known === value.method);
  return method === undefined || typeof value.evidence !== 'string' ? null : { method, evidence: value.evidence };
}
