/** Changes of status, numbered without gaps in the order in which they become visible, a count for each shard. */
export type ChangeCounts = ReadonlyMap<number, bigint>;

export interface ChangeLog {
  counts(): Promise<ChangeCounts>;
  /** Serial numbers (lower hex) of the changes of a shard after number `after`; null: more than are worth naming. */
  changedAfter(shard: number, after: bigint): Promise<readonly string[] | null>;
}

export interface StatusWatchOptions {
  readonly log: ChangeLog;
  readonly now: () => number;
  /** Certificates whose status is another now; null: any. Other processes change them too. */
  readonly onChange: (serials: readonly string[] | null) => void;
  /** @returns true after so many milliseconds; undone when `signal` fires. */
  readonly timeout: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

/** What was seen longer ago than this is looked at again before anything is said of it. */
const FRESH_MS = 600;
/** A database that is silent for so long is taken for absent. */
const PATIENCE_MS = 1000;

/**
 * Knows of every change of a status, by whichever process, within moments: it counts them in the database four times a
 * second, which is cheaper to trust than notifications, for those are lost with a connection that nobody knows is dead.
 */
export function statusWatch({ log, now, onChange, timeout }: StatusWatchOptions) {
  let known: ChangeCounts | null = null;
  let seenAt = Number.NEGATIVE_INFINITY;
  let absent = false;
  let looking: Promise<void> | null = null;

  async function compare(): Promise<void> {
    const began = now();
    const counts = await log.counts();
    for (const [shard, count] of counts) {
      if (known === null || (known.get(shard) ?? 0n) === count) continue;
      onChange(await log.changedAfter(shard, known.get(shard) ?? 0n));
    }
    known = counts;
    seenAt = began;
    absent = false;
  }

  /** One at a time. Never rejects: a database that does not answer is a state of things. */
  function look(): Promise<void> {
    looking ??= (async () => {
      const done = new AbortController();
      const comparing = compare().catch(() => {
        absent = true;
      });
      const late = timeout(PATIENCE_MS, done.signal).then(
        () => {
          absent = true;
        },
        () => undefined,
      );
      await Promise.race([comparing, late]);
      done.abort();
      void comparing.finally(() => {
        looking = null;
      });
    })();
    return looking;
  }

  const current = (): boolean => now() - seenAt <= FRESH_MS;

  return {
    look,
    /** Whether all changes up to now are known. */
    current,
    /**
     * Whether they are known; or can't be, for the database does not answer: then nobody can have
     * recorded one that we could know of, and what is known stands.
     */
    upToDate: (): boolean => absent || current(),
  };
}
export type StatusWatch = ReturnType<typeof statusWatch>;
