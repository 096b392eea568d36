import { DomainError } from '@cardwright/protocol';
import type { Use } from '../ports.ts';
import { HourlyCount } from './hourly-count.ts';

/** Answers an hour, a sliding one. */
export interface AnswerLimits {
  readonly perCard: number;
  /** Of one operator or device, by the id that the caller names. */
  readonly perRequester: number;
  readonly inAll: number;
}

/**
 * A help desk of 40,000 cards: on a bad morning one card in ten is unblocked within the hour, most with one answer and few
 * with more than three; a busy operator does one a minute. A program that answers for all of them has its own name and may
 * need a higher limit.
 */
export const DEFAULT_LIMITS: AnswerLimits = { perCard: 20, perRequester: 600, inAll: 10_000 };

export const LIMIT_REACHED = 'vault-limit-reached';

/** What gives power over a card in use away. A first write has its own limit: one a key version. */
const COUNTED: ReadonlySet<string> = new Set(['answer', 'tpm.reset', 'puk.show', 'lockout.reset']);
/**
 * Each makes another version of a card's key, which lasts. They are counted for the card alone, and apart from the answers:
 * a fleet whose keys are changed must not take the answers from the help desk.
 */
const PROPOSALS: ReadonlySet<string> = new Set(['key.propose-successor', 'key.propose-replacement']);

export interface Limits {
  /**
   * Counts the use, or refuses it. Every one that is let through counts, whatever comes of it.
   * @throws DomainError `vault-limit-reached` (too-many), with `retryAfterSeconds`.
   */
  admit(use: Use): void;
  /** Counts what the record says: at the start, and what another vault process let through. */
  note(use: Use, outcome: string, atMs: number): void;
}

const ALL = 'all';

interface Scope {
  readonly counts: HourlyCount;
  readonly subject: string;
  readonly limit: number;
  readonly what: string;
}

/** @param now milliseconds since 1970. */
export function answerLimits(limits: AnswerLimits, now: () => number): Limits {
  const [cards, requesters, all] = [new HourlyCount(), new HourlyCount(), new HourlyCount()];
  const proposals = new HourlyCount();
  const scopes = ({ operation, cardId, requestedBy }: Use): readonly Scope[] => {
    if (PROPOSALS.has(operation)) {
      return [{ counts: proposals, subject: cardId, limit: limits.perCard, what: 'proposals of a key, for this card' }];
    }
    if (!COUNTED.has(operation)) return [];
    return [
      { counts: cards, subject: cardId, limit: limits.perCard, what: 'answers, for this card' },
      { counts: requesters, subject: requestedBy, limit: limits.perRequester, what: 'answers, for this requester' },
      { counts: all, subject: ALL, limit: limits.inAll, what: 'answers, in all' },
    ];
  };

  return {
    admit(use) {
      const nowMs = now();
      for (const { counts, subject, limit, what } of scopes(use)) {
        if (counts.count(subject, nowMs) < limit) continue;
        const retryAfterSeconds = counts.secondsUntilLess(subject, nowMs);
        throw new DomainError(
          'too-many',
          LIMIT_REACHED,
          `The vault gives in an hour at most ${limit} ${what}; if this is no attack, wait, or have the limit raised.`,
          { data: { retryAfterSeconds } },
        );
      }
      for (const { counts, subject } of scopes(use)) counts.add(subject, nowMs);
    },
    note(use, outcome, atMs) {
      if (outcome === LIMIT_REACHED || atMs <= now() - 3_600_000) return;
      for (const { counts, subject } of scopes(use)) counts.add(subject, atMs);
    },
  };
}
