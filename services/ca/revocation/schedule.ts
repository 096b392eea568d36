/** How long a CRL is good, and at what age the next one is made: well before, so that an outage can be mended. */
export interface CrlSchedule {
  readonly full: { readonly lifetimeMs: number; readonly renewAfterMs: number };
  /** null: an authority without deltas. */
  readonly delta: { readonly lifetimeMs: number; readonly renewAfterMs: number } | null;
}
const HOUR_MS = 3_600_000;
export const CRL_SCHEDULES: Readonly<Record<'root' | 'issuing', CrlSchedule>> = {
  issuing: {
    full: { lifetimeMs: 24 * HOUR_MS, renewAfterMs: 12 * HOUR_MS },
    delta: { lifetimeMs: 6 * HOUR_MS, renewAfterMs: 3 * HOUR_MS },
  },
  // Long, for the root's key need not be there every day.
  root: { full: { lifetimeMs: 180 * 24 * HOUR_MS, renewAfterMs: 90 * 24 * HOUR_MS }, delta: null },
};

/** A full CRL up to so long is made anew with each change at once: under 1 MB, in some 20 ms. */
const SHORT_ENTRIES = 20_000;
/** A longer one at most so often. With the next look at it, and what caches may keep, that is within the minute. */
const LONG_INTERVAL_MS = 15_000;
/** A delta of more changes is no longer worth its name: the next one builds on a new base. */
const DELTA_CHANGES = 5000;

export interface CrlHead {
  readonly number: bigint;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  /** Changes of status that it covers. */
  readonly changeCount: bigint;
}

/** All that is recorded of one CRL and its delta. */
export interface CrlState {
  readonly changeCount: bigint;
  readonly entryCount: number;
  readonly entryBytes: number;
  /** The last number given out; 0: none yet. */
  readonly number: bigint;
  readonly full: CrlHead | null;
  readonly delta: CrlHead | null;
  /** What the next delta builds on. */
  readonly base: { readonly number: bigint; readonly changeCount: bigint; readonly at: Date } | null;
}

export interface DueCrls {
  readonly full: boolean;
  readonly delta: boolean;
  /** The full one becomes the base of the deltas after it. The delta that is made with it still has the one before. */
  readonly rebase: boolean;
}

/** What is to be made now. Full and delta that are made together have one number and say the same (RFC 5280 5.2.4). */
export function dueCrls(state: CrlState, schedule: CrlSchedule, now: Date): DueCrls {
  // A negative age: the clock was set back, and the CRL would seem to come from the future.
  const age = (since: Date) => {
    const ms = now.getTime() - since.getTime();
    return ms < 0 ? Number.POSITIVE_INFINITY : ms;
  };
  const { full, delta, base, changeCount } = state;
  const rebase =
    base === null ||
    age(base.at) >= schedule.full.renewAfterMs ||
    (schedule.delta !== null && changeCount - base.changeCount > DELTA_CHANGES);
  const behind = full === null || full.changeCount < changeCount;
  const soon = state.entryCount <= SHORT_ENTRIES || full === null || age(full.thisUpdate) >= LONG_INTERVAL_MS;
  const old = full === null || age(full.thisUpdate) >= schedule.full.renewAfterMs;
  const makeFull = rebase || old || (behind && soon);
  // The very first full CRL has no delta: there is nothing that one could build on.
  const deltaOld = delta === null || age(delta.thisUpdate) >= (schedule.delta?.renewAfterMs ?? 0);
  const makeDelta =
    schedule.delta !== null &&
    base !== null &&
    (makeFull || deltaOld || delta === null || delta.changeCount < changeCount);
  return { full: makeFull, delta: makeDelta, rebase };
}
