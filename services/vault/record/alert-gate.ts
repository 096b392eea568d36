import type { Use } from '../ports.ts';

/** Outcomes that somebody should be told of, and how often the same is told again. */
const ALERTS: Readonly<Record<string, { readonly quietMs: number; readonly of: (use: Use) => string }>> = {
  // Each asked once: somebody altered what is stored, or has a vault's keys that are not these.
  'vault-blob-invalid': { quietMs: 0, of: ({ requestId }) => requestId },
  // An older entry was changed, or taken out: found when a first write was to be signed.
  'vault-record-altered': { quietMs: 0, of: ({ requestId }) => requestId },
  // Goes on for as long as somebody keeps asking; once in a while is enough.
  'vault-limit-reached': { quietMs: 10 * 60_000, of: ({ cardId, requestedBy }) => `${cardId} ${requestedBy}` },
};

const HOUR_MS = 3_600_000;
/** A flood of alerts would hide the first. The record has each refusal, told of or not. */
export const MAX_ALERTS_AN_HOUR = 200;

/** Decides which refusals become alerts. */
export interface AlertGate {
  wants(use: Use, outcome: string, nowMs: number): boolean;
}

export function alertGate(): AlertGate {
  /** When each was told last; bounded by what an hour may bring. */
  const told = new Map<string, number>();
  return {
    wants(use, outcome, nowMs) {
      const rule = Object.hasOwn(ALERTS, outcome) ? ALERTS[outcome] : undefined;
      if (rule === undefined) return false;
      for (const [key, at] of told) if (at <= nowMs - HOUR_MS) told.delete(key);
      const key = `${outcome} ${rule.of(use)}`;
      const last = told.get(key);
      if ((last !== undefined && nowMs - last < rule.quietMs) || told.size >= MAX_ALERTS_AN_HOUR) return false;
      told.set(key, nowMs);
      return true;
    },
  };
}
