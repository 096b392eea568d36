import { DomainError } from '@cardwright/protocol';
import { unblockApprovalStatement } from '@cardwright/protocol/challenge';
import { cardUnknown } from '../cards/index.ts';
import { type CertificateOnRecord, type InForce, judgeForce } from '../certificates/index.ts';
import { answerApproved, isCodeOf, noteWrongCode, recordApproval, wrongCode } from './decide-request.ts';
import { aboutSession } from './open-session.ts';
import type { DeviceIntent, UnblockCard } from './ports.ts';
import type { SelfServicePorts, WaitingRequest } from './self-service-ports.ts';
import { assertMay, sessionNotFound } from './session.ts';

/*
 * Self-service: a person approves the unblock of one card with another card of theirs, by its PIN and its key.
 *
 * What this trusts: whoever has the other card and knows its PIN can set a new PIN on any card of the same person whose
 * profile allows it, if they also hold that card's device. That is the second factor, and the reason why profiles say no
 * unless they are told to. The confirmation code ties the approval to the one request that the person looks at; it is no
 * secret that would have to keep anybody out alone.
 */

/** To look at what is shown, and to type a PIN. */
export const NONCE_SECONDS = 180;
const NONCE_BYTES = 32;
const REASON = 'Approved by its holder with another card';

export interface ApprovalRequest {
  readonly sessionId: string;
  readonly nonce: Uint8Array;
  readonly serial: string;
  readonly hostName: string;
  readonly displayName: string;
  readonly requestedAt: Date;
  readonly expiresAt: Date;
}

/**
 * Which request the code is of, and what is to be signed for it.
 * @throws DomainError `not-found`: the card is not of this device, or nothing of this person waits (a request of another
 *   person looks the same); `confirmation-code-wrong` (unprocessable); `approval-by-the-same-card`, `card-not-active`,
 *   `unblock-session-expired` (conflict); `self-service-not-allowed` (forbidden).
 */
export async function prepareApproval(
  deps: SelfServicePorts,
  intent: DeviceIntent,
  cardId: string,
  confirmationCode: string,
): Promise<ApprovalRequest> {
  const { cardApprovals, runtime } = deps;
  const approver = await approvingCard(deps, intent, cardId);
  const waiting = await cardApprovals.waitingOfPerson(approver.personId);
  if (waiting.length === 0) throw sessionNotFound();
  const request = waiting.find(({ session }) => isCodeOf(session, confirmationCode));
  if (request === undefined) {
    // It was tried against each of them.
    for (const { session } of waiting) await noteWrongCode(deps, intent, session.id);
    throw wrongCode();
  }
  demandAllowed(request, approver);
  const { session, card, hostName, person } = request;
  const now = runtime.now();
  assertMay('approve', session, now);
  const nonce = runtime.randomBytes(NONCE_BYTES);
  const expiresAt = new Date(Math.min(now.getTime() + NONCE_SECONDS * 1000, session.expiresAt.getTime()));
  await deps.unitOfWork.run(async (tx) => {
    await cardApprovals.put(tx, session.id, approver.id, { nonce, expiresAt });
    await deps.audit.record(tx, intent, {
      action: 'unblock.approval-prepared',
      object: { kind: 'unblock-session', id: session.id },
      about: { ...aboutSession(session.id, approver), cardId: card.id },
      after: { approvingCardId: approver.id },
    });
  });
  const { serial } = card;
  const { displayName } = person;
  return { sessionId: session.id, nonce, serial, hostName, displayName, requestedAt: session.createdAt, expiresAt };
}

export interface SignedApproval {
  readonly sessionId: string;
  readonly confirmationCode: string;
  readonly certificateId: string;
  /** Over {@link unblockApprovalStatement}, with SHA-256: ECDSA in DER, or RSA PKCS #1 v1.5. */
  readonly signature: Uint8Array;
}

/**
 * Answers the request as after an operator's approval. The nonce is used up by the first signature that is looked at,
 * right or wrong, so nothing is signed twice and nothing guessed. Gives the serial of the card that approved.
 * @throws DomainError as {@link prepareApproval}, and `certificate-not-active`, `approval-expired` (conflict),
 *   `approval-signature-invalid` (unprocessable); those of {@link answerApproved}.
 */
export async function approveWithCard(
  deps: SelfServicePorts,
  intent: DeviceIntent,
  cardId: string,
  signed: SignedApproval,
): Promise<string> {
  const { sessionId, confirmationCode, certificateId, signature } = signed;
  const approver = await approvingCard(deps, intent, cardId);
  const request = await deps.cardApprovals.waiting(sessionId);
  if (request === null || request.card.personId !== approver.personId) throw sessionNotFound();
  demandAllowed(request, approver);
  assertMay('approve', request.session, deps.runtime.now());
  if (!isCodeOf(request.session, confirmationCode)) {
    await noteWrongCode(deps, intent, sessionId);
    throw wrongCode();
  }
  const certificate = await activeCertificate(deps, approver, certificateId);
  const nonce = await deps.unitOfWork.run((tx) => deps.cardApprovals.take(tx, sessionId, approver.id));
  if (nonce === null || nonce.expiresAt <= deps.runtime.now()) throw approvalExpired();
  const statement = unblockApprovalStatement({
    sessionId,
    nonce: nonce.nonce,
    serial: request.card.serial,
    hostName: request.hostName,
    requestedAt: request.session.createdAt.toISOString(),
    approvingSerial: approver.serial,
    certificateId,
  });
  if (!deps.signedBy(certificate.der, statement, signature)) throw signatureInvalid();
  const verification = { method: 'another-card', evidence: `certificate ${certificate.serialNumber}` } as const;
  const why = { ...intent, reason: REASON };
  await recordApproval(
    deps,
    why,
    sessionId,
    { confirmationCode, verification, reason: REASON },
    { openedBy: null, also: () => stillSo(deps, intent, approver, certificateId) },
  );
  await answerApproved(deps, why, sessionId);
  return approver.serial;
}

/** What was looked at before the session was held: a card or certificate that was ended meanwhile approves nothing. */
async function stillSo(deps: SelfServicePorts, intent: DeviceIntent, approver: UnblockCard, certificateId: string) {
  await approvingCard(deps, intent, approver.id);
  await activeCertificate(deps, approver, certificateId);
}

async function approvingCard(deps: SelfServicePorts, { actor }: DeviceIntent, cardId: string): Promise<UnblockCard> {
  const card = await deps.sessions.findCard(cardId);
  if (card === null || card.deviceId !== actor.id) throw cardUnknown();
  if (card.state !== 'active') {
    throw new DomainError('conflict', 'card-not-active', `The card is ${card.state}; only one in use can approve.`);
  }
  return card;
}

function demandAllowed({ card, selfServiceUnblock }: WaitingRequest, approver: UnblockCard): void {
  if (card.id === approver.id) {
    throw new DomainError(
      'conflict',
      'approval-by-the-same-card',
      'A card can not approve its own unblock: use another card of yours, or ask an operator.',
    );
  }
  if (selfServiceUnblock) return;
  throw new DomainError(
    'forbidden',
    'self-service-not-allowed',
    'Cards of this profile are unblocked by an operator only: tell the confirmation code to one.',
  );
}

async function activeCertificate(
  deps: SelfServicePorts,
  approver: UnblockCard,
  id: string,
): Promise<InForce<CertificateOnRecord>> {
  const found = await deps.certificateViews.find(id);
  const own = found !== null && found.cardId === approver.id && found.personId === approver.personId;
  const judged = own ? judgeForce(found, deps.runtime.now()) : null;
  if (judged !== null && 'certificate' in judged) return judged.certificate;
  throw new DomainError(
    'conflict',
    'certificate-not-active',
    'This is no certificate of the approving card that is in force: it may be revoked, expired or renewed.',
  );
}

function approvalExpired(): DomainError {
  return new DomainError(
    'conflict',
    'approval-expired',
    'Nothing waits for this signature: it came too late, or was used before. Begin the approval again.',
  );
}

function signatureInvalid(): DomainError {
  const detail = "The approving card's key did not sign this approval. Begin the approval again.";
  return new DomainError('unprocessable', 'approval-signature-invalid', detail, {
    fields: [{ pointer: '/signature', detail }],
  });
}
