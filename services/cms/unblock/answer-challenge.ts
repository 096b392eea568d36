import { DomainError, isDomainError } from '@cardwright/protocol';
import { whyNoAnswer, whyNotTakenOver } from '../cards/index.ts';
import type { Intent } from '../kernel/actor.ts';
import type { Runtime } from '../kernel/runtime.ts';
import { type Challenge, challengeHash, minidriverResponse, parseChallenge, tpmResponse } from './challenge.ts';
import type {
  Answering,
  AnswerRecords,
  ChallengeAnswers,
  OperatorIntent,
  SessionWithCard,
  UnblockCard,
} from './ports.ts';
import { assertMay, sessionNotFound } from './session.ts';

export interface AnswerDependencies {
  readonly answers: AnswerRecords;
  readonly vault: ChallengeAnswers;
  readonly runtime: Runtime;
  /** Completes the change of a card's key that the vault has confirmed already, if there is one. */
  readonly completeKeyChange: (intent: Intent, cardId: string) => Promise<void>;
}

export interface Answer {
  readonly lines: readonly string[];
  readonly expiresAt: Date;
}

/**
 * The response to the challenge that a caller read out, for the operator who verified that caller.
 *
 * Two-phase: the intent is recorded, then the vault is asked, then the outcome is recorded, and only then is the
 * response given. A crash before the outcome leaves the session open, and the same or another challenge can be asked
 * again: nobody was given anything. Of several at once, one records the outcome and the others are refused.
 *
 * @throws DomainError `not-found`; `unblock-session-expired`, `-already-answered`, `-closed`, `-of-device`,
 *   `challenge-already-answered`, `card-not-active` (conflict); `unblock-session-of-another-operator` (forbidden);
 *   `challenge-malformed`, `challenge-for-another-card` (unprocessable); those of the vault.
 */
export async function answerChallenge(
  deps: AnswerDependencies,
  intent: OperatorIntent,
  sessionId: string,
  typed: string,
): Promise<Answer> {
  const found = await deps.answers.find(sessionId);
  if (found === null) throw sessionNotFound();
  demandMine(found, intent);
  assertMay('answer', found.session, deps.runtime.now());
  const lines = await answerOnce(deps, intent, found, typed, () => null);
  return { lines, expiresAt: found.session.expiresAt };
}

/** The second half of an approval: the response is kept for the device, and given to nobody here. */
export async function answerForDevice(deps: AnswerDependencies, intent: Intent, found: SessionWithCard): Promise<void> {
  const { session } = found;
  if (session.origin !== 'device') throw new Error(`unblock session ${session.id} is not of a device`);
  assertMay('answer', session, deps.runtime.now());
  await answerOnce(deps, intent, found, session.challenge, (lines) => lines.join('\n'));
}

async function answerOnce(
  deps: AnswerDependencies,
  intent: Intent,
  { session, card }: SessionWithCard,
  typed: string,
  toKeep: (lines: readonly string[]) => string | null,
): Promise<readonly string[]> {
  const { answers, runtime } = deps;
  assertUnblockable(card);
  const challenge = parseChallenge(card, typed);
  const why = { ...intent, reason: session.reason ?? undefined, ticket: session.ticket ?? undefined };
  const answering: Answering = { session, card, challengeHash: challengeHash(challenge) };
  if (!(await answers.intend(why, answering))) throw replayed();
  const lines = await askForNow(deps, intent, answering, challenge);
  const outcome = await answers.finish(why, answering, toKeep(lines), runtime.now());
  if (outcome === 'challenge-already-answered') throw replayed();
  if (outcome === 'not-open') throw await whyNotOpen(deps, session.id);
  return lines;
}

/** A key that was replaced a moment ago, by a change whose end was cut off before it was recorded here, is no reason to refuse. */
async function askForNow(
  { answers, vault, completeKeyChange }: AnswerDependencies,
  intent: Intent,
  { session, card }: Answering,
  challenge: Challenge,
): Promise<readonly string[]> {
  try {
    return await askVault(vault, intent, card, challenge);
  } catch (error) {
    if (!isDomainError(error) || error.code !== 'administrator-key-superseded') throw error;
    await completeKeyChange(intent, card.id);
    const now = await answers.find(session.id);
    if (now === null || now.card.keyVersion === card.keyVersion) throw error;
    return await askVault(vault, intent, now.card, challenge);
  }
}

async function askVault(
  vault: ChallengeAnswers,
  intent: Intent,
  card: UnblockCard,
  challenge: Challenge,
): Promise<readonly string[]> {
  const { id: cardId, keyVersion, nvIndex } = card;
  const asked = { requestedBy: intent.actor.id, requestId: intent.requestId, cardId };
  if (keyVersion === null) throw notActive('has no administrator key in the vault');
  if (challenge.kind === 'minidriver') {
    const { response } = await vault.answerChallenge({
      ...asked,
      keyVersion,
      challenge: challenge.bytes,
      mode: card.challengeMode,
    });
    return minidriverResponse(response);
  }
  if (nvIndex === null) throw notActive('was never written');
  const { resetNonce, writeNonce } = challenge;
  return tpmResponse(
    card,
    challenge,
    await vault.resetTpmCard({ ...asked, keyVersion, nvIndex, resetNonce, writeNonce }),
  );
}

/** The response goes to who verified the caller, and to nobody who came upon the session's id. */
function demandMine({ session }: SessionWithCard, { actor }: OperatorIntent): void {
  if (session.origin === 'device') {
    throw new DomainError(
      'conflict',
      'unblock-session-of-device',
      'The device sent this challenge itself: approve or refuse it; the response goes to the device alone.',
    );
  }
  if (session.openedBy?.id !== actor.id) {
    throw new DomainError(
      'forbidden',
      'unblock-session-of-another-operator',
      'Another operator verified this caller; open a session of your own.',
    );
  }
}

/** @throws DomainError (conflict) `card-not-taken-over`, `card-not-active`, `card-has-puk`, `administrator-key-not-stored`. A blocked card is what an unblock is for. */
export function assertUnblockable(card: UnblockCard): void {
  const first = whyNotTakenOver(card);
  if (first !== null) throw new DomainError('conflict', 'card-not-taken-over', first);
  if (card.state !== 'active' && card.state !== 'blocked') throw notActive(`is ${card.state}`);
  const obstacle = whyNoAnswer(card);
  if (obstacle !== null) throw new DomainError('conflict', obstacle.code, obstacle.why);
}

function notActive(what: string): DomainError {
  return new DomainError('conflict', 'card-not-active', `The card ${what}; only a card in use can be unblocked.`);
}

function replayed(): DomainError {
  return new DomainError(
    'conflict',
    'challenge-already-answered',
    'This challenge has been answered before; have the device make a fresh one.',
    { fields: [{ pointer: '/challenge', detail: 'answered before' }] },
  );
}

/** Someone was faster: what the session has become says what to do. */
async function whyNotOpen(deps: AnswerDependencies, sessionId: string): Promise<Error> {
  const now = await deps.answers.find(sessionId);
  if (now === null) return sessionNotFound();
  assertMay('answer', now.session, deps.runtime.now());
  return new Error(`unblock session ${sessionId} is open and could not be answered`);
}
