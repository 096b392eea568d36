import { type Static, Type } from 'typebox';
import type { Permission } from '../kernel/permission.ts';
import { VERIFICATION_METHODS } from '../kernel/verification.ts';
import {
  AllowedAction,
  closed,
  line,
  listOf,
  nullable,
  OperatorRef,
  oneOf,
  ref,
  time,
} from '../platform/schema.http.ts';
import { challengeFormat } from './challenge.ts';
import type { SessionWithCard } from './ports.ts';
import { allowedActions, shownState } from './session.ts';

export const SESSION_STATES = ['requested', 'open', 'answered', 'worked', 'failed', 'expired', 'refused'] as const;

export const VerificationSchema = closed(
  {
    method: oneOf(VERIFICATION_METHODS),
    evidence: line(500, { description: 'What proved who the caller is. Kept in the audit log.' }),
  },
  { description: 'How the caller was identified.' },
);

export const sessionExample = {
  id: '0199f2a0-8888-7000-8000-000000000008',
  cardId: '0199f2a0-3333-7000-8000-000000000003',
  origin: 'operator',
  state: 'open',
  confirmationCode: null,
  challengeFormat: { kind: 'base32', bytes: 35 },
  verification: { method: 'call-back', evidence: 'Called back on the number on record' },
  reason: 'Forgot the PIN',
  ticket: 'INC-20417',
  openedBy: { id: '0199f2a0-4444-7000-8000-000000000004', name: 'helpdesk' },
  createdAt: '2026-11-20T09:00:00.000Z',
  expiresAt: '2026-11-20T09:10:00.000Z',
  answeredAt: null,
  allowedActions: [{ action: 'answer', allowed: true, disabledReason: null }],
};

export const SessionSchema = Type.Object(
  {
    id: Type.String(),
    cardId: Type.String(),
    origin: oneOf(['operator', 'device'], { description: 'device: it sent its challenge itself, and waits.' }),
    state: oneOf(SESSION_STATES),
    confirmationCode: nullable(
      Type.String({ description: 'Always null for operators: the person at the device reads it out.' }),
    ),
    challengeFormat: Type.Object({
      kind: oneOf(['base32', 'hex']),
      bytes: Type.Integer({ description: 'Of the challenge, before it was written as text.' }),
    }),
    verification: nullable(Type.Object({ method: Type.String(), evidence: Type.String() })),
    reason: nullable(Type.String()),
    ticket: nullable(Type.String()),
    openedBy: nullable(ref(OperatorRef)),
    createdAt: time(),
    expiresAt: time(),
    answeredAt: nullable(time()),
    allowedActions: Type.Array(ref(AllowedAction)),
  },
  { $id: 'UnblockSession', examples: [sessionExample] },
);
export const SessionList = listOf(SessionSchema, { $id: 'UnblockSessionList' });

export const AnswerSchema = Type.Object(
  {
    response: Type.String({ description: 'The lines, joined by line feeds.' }),
    lines: Type.Array(Type.String()),
    expiresAt: time({ description: 'Until when to show it.' }),
  },
  {
    $id: 'UnblockResponse',
    examples: [
      { response: '1603 EBDF 1C8A 2E72', lines: ['1603 EBDF 1C8A 2E72'], expiresAt: sessionExample.expiresAt },
    ],
  },
);

/** The challenge, the confirmation code and the response are in no operator's view of a session. */
export function toBody(
  { session, card }: SessionWithCard,
  now: Date,
  permissions: ReadonlySet<Permission>,
): Static<typeof SessionSchema> {
  const { id, cardId, origin, verification, reason, ticket, openedBy } = session;
  return {
    id,
    cardId,
    origin,
    state: shownState(session, now),
    confirmationCode: null,
    challengeFormat: challengeFormat(card),
    verification,
    reason,
    ticket,
    openedBy,
    createdAt: session.createdAt.toISOString(),
    expiresAt: session.expiresAt.toISOString(),
    answeredAt: session.answeredAt?.toISOString() ?? null,
    allowedActions: allowedActions(session, now, permissions),
  };
}
