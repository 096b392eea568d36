import { DomainError } from '@cardwright/protocol';
import { cardUnknown } from '../cards/index.ts';
import type { Intent } from '../kernel/actor.ts';
import type { AuditEntry, AuditTrail } from '../kernel/audit-entry.ts';
import { makeConfirmationCode } from '../kernel/confirmation-code.ts';
import type { Runtime } from '../kernel/runtime.ts';
import type { Tx, UnitOfWork } from '../kernel/unit-of-work.ts';
import { assertUnblockable } from './answer-challenge.ts';
import { parseChallenge } from './challenge.ts';
import type { DeviceIntent, NewSession, OperatorIntent, UnblockCard, UnblockSessions } from './ports.ts';
import { SESSION_SECONDS, type Verification } from './session.ts';

export interface SessionDependencies {
  readonly sessions: UnblockSessions;
  readonly unitOfWork: UnitOfWork;
  readonly audit: AuditTrail;
  readonly runtime: Runtime;
}

export function aboutSession(sessionId: string, card: UnblockCard): NonNullable<AuditEntry['about']> {
  return { unblockSessionId: sessionId, cardId: card.id, personId: card.personId, deviceId: card.deviceId };
}

/**
 * An operator has verified a caller, and will answer a challenge.
 * @throws DomainError `not-found`, `card-not-active` (conflict).
 */
export async function openSession(
  deps: SessionDependencies,
  intent: OperatorIntent,
  cardId: string,
  verification: Verification,
): Promise<string> {
  const card = await unblockable(deps, cardId);
  const session = blank(deps.runtime, card, {
    origin: 'operator',
    state: 'open',
    confirmationCode: null,
    challenge: null,
    verification,
    reason: intent.reason ?? null,
    ticket: intent.ticket ?? null,
    openedBy: { id: intent.actor.id, name: intent.actor.name },
  });
  await deps.unitOfWork.run(async (tx) => {
    await deps.sessions.insert(tx, session);
    await deps.audit.record(tx, intent, {
      action: 'unblock.opened',
      object: { kind: 'unblock-session', id: session.id },
      about: aboutSession(session.id, card),
      verification,
    });
  });
  return session.id;
}

export interface DeviceRequest {
  readonly sessionId: string;
  /** The person at the device reads it to the operator, so that the operator approves this request and no other. */
  readonly confirmationCode: string;
  readonly expiresAt: Date;
}

/**
 * A device asks for itself. An earlier request of the same card that nobody answered is void: its challenge died with it.
 * @throws DomainError `not-found`: another device's card is not there for this one; `card-not-active` (conflict);
 *   `challenge-malformed`, `challenge-for-another-card` (unprocessable).
 */
export async function requestUnblock(
  deps: SessionDependencies,
  intent: DeviceIntent,
  cardId: string,
  request: { readonly challenge: string; readonly triesLeft: number },
): Promise<DeviceRequest> {
  const { sessions, unitOfWork, audit, runtime } = deps;
  const card = await sessions.findCard(cardId);
  if (card === null || card.deviceId !== intent.actor.id) throw cardUnknown();
  assertUnblockable(card);
  parseChallenge(card, request.challenge);
  const confirmationCode = makeConfirmationCode(runtime);
  const session = blank(runtime, card, {
    origin: 'device',
    state: 'requested',
    confirmationCode,
    challenge: request.challenge,
    verification: null,
    reason: null,
    ticket: null,
    openedBy: null,
  });
  await unitOfWork.run(async (tx) => {
    await supersede(deps, tx, intent, card);
    await sessions.insert(tx, session);
    await audit.record(tx, intent, {
      action: 'unblock.requested',
      object: { kind: 'unblock-session', id: session.id },
      about: aboutSession(session.id, card),
      after: { triesLeft: request.triesLeft },
    });
  });
  return { sessionId: session.id, confirmationCode, expiresAt: session.expiresAt };
}

async function supersede(deps: SessionDependencies, tx: Tx, intent: Intent, card: UnblockCard): Promise<void> {
  for (const earlier of await deps.sessions.lockRequestsOfCard(tx, card.id)) {
    await deps.sessions.change(tx, earlier.id, { state: 'refused', closedAt: deps.runtime.now() });
    const why = { ...intent, reason: 'the device asked again' };
    await deps.audit.record(tx, why, {
      action: 'unblock.superseded',
      object: { kind: 'unblock-session', id: earlier.id },
      about: aboutSession(earlier.id, card),
      before: { state: earlier.state },
      after: { state: 'refused' },
    });
  }
}

async function unblockable(deps: SessionDependencies, cardId: string): Promise<UnblockCard> {
  const card = await deps.sessions.findCard(cardId);
  if (card === null) throw cardUnknown();
  assertUnblockable(card);
  if (card.keyVersion === null) {
    throw new DomainError('conflict', 'card-not-active', 'The vault has no administrator key of this card.');
  }
  return card;
}

type Blank = Omit<NewSession, 'id' | 'cardId' | 'createdAt' | 'expiresAt'>;
function blank(runtime: Runtime, card: UnblockCard, session: Blank): NewSession {
  const createdAt = runtime.now();
  const expiresAt = new Date(createdAt.getTime() + SESSION_SECONDS * 1000);
  return { ...session, id: runtime.newId(), cardId: card.id, createdAt, expiresAt };
}
