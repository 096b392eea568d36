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
const COUNTED: ReadonlySet<string> = new Set(['answer', 'tpm.reset', 'puk.show']);

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

/** @param now milliseconds since 1970. */
export function answerLimits(limits: AnswerLimits, now: () => number): Limits {
  const [cards, requesters, all] = [new HourlyCount(), new HourlyCount(), new HourlyCount()];
  const scopes = ({ cardId, requestedBy }: Use) =>
    [
      { counts: cards, subject: cardId, limit: limits.perCard, what: 'for this card' },
      { counts: requesters, subject: requestedBy, limit: limits.perRequester, what: 'for this requester' },
      { counts: all, subject: ALL, limit: limits.inAll, what: 'in all' },
    ] as const;

  return {
    admit(use) {
      if (!COUNTED.has(use.operation)) return;
      const nowMs = now();
      for (const { counts, subject, limit, what } of scopes(use)) {
        if (counts.count(subject, nowMs) < limit) continue;
        const retryAfterSeconds = counts.secondsUntilLess(subject, nowMs);
        throw new DomainError(
          'too-many',
          LIMIT_REACHED,
          `the vault gives at most ${limit} answers an hour ${what}; if this is no attack, wait, or have the limit raised`,
          { data: { retryAfterSeconds } },
        );
      }
      for (const { counts, subject } of scopes(use)) counts.add(subject, nowMs);
    },
    note(use, outcome, atMs) {
      if (!COUNTED.has(use.operation) || outcome === LIMIT_REACHED || atMs <= now() - 3_600_000) return;
      for (const { counts, subject } of scopes(use)) counts.add(subject, atMs);
    },
  };
}
