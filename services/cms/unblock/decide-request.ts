import { DomainError } from '@cardwright/protocol';
import type { Intent } from '../kernel/actor.ts';
import { isConfirmationCode } from '../kernel/confirmation-code.ts';
import type { Tx } from '../kernel/unit-of-work.ts';
import { type AnswerDependencies, answerForDevice } from './answer-challenge.ts';
import { aboutSession, type SessionDependencies } from './open-session.ts';
import type { OperatorIntent, SessionWithCard } from './ports.ts';
import { assertMay, sessionNotFound, type UnblockSession, type Verification } from './session.ts';

/** Of one request, whoever gives them. */
export const MAX_WRONG_CODES = 5;
const WAITING_STATES: ReadonlySet<UnblockSession['state']> = new Set(['requested', 'open']);

export interface Approval {
  /** As the person at the device read it out. */
  readonly confirmationCode: string;
  readonly verification: Verification;
  readonly reason: string;
  readonly ticket?: string | undefined;
}

/**
 * An operator approves what a device asked. The approval is recorded, then the vault is asked; when it can't be asked
 * now the approval stands, and approving again or the worker goes on from there.
 * @throws DomainError `not-found`; `confirmation-code-wrong` (unprocessable; the {@link MAX_WRONG_CODES}th one refuses the
 *   request); `unblock-session-expired`, `-already-answered`, `-closed`, `-not-approvable`, `card-not-active` (conflict); those of the vault.
 */
export async function approveRequest(
  deps: SessionDependencies & AnswerDependencies,
  intent: OperatorIntent,
  sessionId: string,
  approval: Approval,
): Promise<void> {
  const openedBy = { id: intent.actor.id, name: intent.actor.name };
  await recordApproval(deps, intent, sessionId, approval, { openedBy });
  await answerApproved(deps, intent, sessionId);
}

/**
 * The first half, whoever approves. `openedBy`: the operator, or null.
 * @param also in the same transaction, with the session held, before anything is changed; may refuse.
 */
export async function recordApproval(
  deps: SessionDependencies,
  intent: Intent,
  sessionId: string,
  { confirmationCode, verification, reason, ticket }: Approval,
  {
    openedBy,
    also,
  }: {
    readonly openedBy: { readonly id: string; readonly name: string } | null;
    readonly also?: (tx: Tx) => Promise<void>;
  },
): Promise<void> {
  const found = await deps.sessions.find(sessionId);
  if (found === null) throw sessionNotFound();
  const approved = await deps.unitOfWork.run(async (tx) => {
    const session = await deps.sessions.lock(tx, sessionId);
    if (session === null) throw sessionNotFound();
    assertMay('approve', session, deps.runtime.now());
    if (!isCodeOf(session, confirmationCode)) {
      await countWrongCode(deps, tx, intent, { ...found, session });
      return false;
    }
    await also?.(tx);
    await deps.sessions.change(tx, sessionId, {
      state: 'open',
      verification,
      reason,
      ticket: ticket ?? null,
      openedBy,
    });
    await deps.audit.record(tx, intent, {
      action: 'unblock.approved',
      object: { kind: 'unblock-session', id: sessionId },
      about: aboutSession(sessionId, found.card),
      verification,
      before: { state: session.state },
      after: { state: 'open' },
    });
    return true;
  });
  if (!approved) throw wrongCode();
}

/** For who learns of a wrong code without holding the session. */
export async function noteWrongCode(deps: SessionDependencies, intent: Intent, sessionId: string): Promise<void> {
  const found = await deps.sessions.find(sessionId);
  if (found === null) return;
  await deps.unitOfWork.run(async (tx) => {
    const session = await deps.sessions.lock(tx, sessionId);
    if (session !== null) await countWrongCode(deps, tx, intent, { ...found, session });
  });
}

/**
 * A code of six digits is no secret that keeps anybody out for long: whoever guesses is stopped by the end of the request,
 * and its person asks again. Kept though the caller is refused.
 */
async function countWrongCode(
  deps: SessionDependencies,
  tx: Tx,
  intent: Intent,
  { session, card }: SessionWithCard,
): Promise<void> {
  const wrongCodes = await deps.sessions.countWrongCode(tx, session.id);
  const now = deps.runtime.now();
  const waits = WAITING_STATES.has(session.state) && session.expiresAt > now;
  if (wrongCodes < MAX_WRONG_CODES || !waits) return;
  await deps.sessions.change(tx, session.id, { state: 'refused', closedAt: now });
  const reason = `${wrongCodes} wrong confirmation codes`;
  await deps.audit.record(
    tx,
    { ...intent, reason },
    {
      action: 'unblock.refused',
      object: { kind: 'unblock-session', id: session.id },
      about: aboutSession(session.id, card),
      before: { state: session.state },
      after: { state: 'refused', wrongCodes },
    },
  );
}

/** For the worker, too: an approval whose answer a crash lost. */
export async function answerApproved(
  deps: Pick<SessionDependencies, 'sessions'> & AnswerDependencies,
  intent: Intent,
  sessionId: string,
): Promise<void> {
  const approved: SessionWithCard | null = await deps.sessions.find(sessionId);
  if (approved === null) throw sessionNotFound();
  await answerForDevice(deps, intent, approved);
}

/** @throws DomainError `not-found`; `unblock-session-expired`, `-already-answered`, `-closed` (conflict). */
export async function refuseSession(
  deps: SessionDependencies,
  intent: OperatorIntent,
  sessionId: string,
): Promise<void> {
  const found = await deps.sessions.find(sessionId);
  if (found === null) throw sessionNotFound();
  await deps.unitOfWork.run(async (tx) => {
    const session = await deps.sessions.lock(tx, sessionId);
    if (session === null) throw sessionNotFound();
    assertMay('refuse', session, deps.runtime.now());
    await deps.sessions.change(tx, sessionId, { state: 'refused', closedAt: deps.runtime.now() });
    await deps.audit.record(tx, intent, {
      action: 'unblock.refused',
      object: { kind: 'unblock-session', id: sessionId },
      about: aboutSession(sessionId, found.card),
      before: { state: session.state },
      after: { state: 'refused' },
    });
  });
}

export const isCodeOf = (session: UnblockSession, given: string): boolean =>
  isConfirmationCode(session.origin === 'device' ? session.confirmationCode : null, given);

export function wrongCode(): DomainError {
  const detail = 'This is not the confirmation code of the request; have it read out again.';
  return new DomainError('unprocessable', 'confirmation-code-wrong', detail, {
    fields: [{ pointer: '/confirmationCode', detail }],
  });
}
