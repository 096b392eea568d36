const MINUTE_MS = 60_000;
const MINUTES = 60;

/** How often something happened in the last hour, by subject, in steps of a minute. Holds only what an hour brought. */
export class HourlyCount {
  readonly #counts = new Map<string, Map<number, number>>();
  #cleanedAt = 0;

  add(subject: string, atMs: number): void {
    const minute = Math.floor(atMs / MINUTE_MS);
    const minutes = this.#counts.get(subject) ?? new Map<number, number>();
    minutes.set(minute, (minutes.get(minute) ?? 0) + 1);
    this.#counts.set(subject, minutes);
  }

  count(subject: string, nowMs: number): number {
    this.#clean(nowMs);
    let sum = 0;
    for (const count of this.#counts.get(subject)?.values() ?? []) sum += count;
    return sum;
  }

  /** Seconds until the oldest that counts is an hour old. */
  secondsUntilLess(subject: string, nowMs: number): number {
    this.#clean(nowMs);
    const oldest = Math.min(...(this.#counts.get(subject)?.keys() ?? []));
    if (!Number.isFinite(oldest)) return 0;
    return Math.max(1, Math.ceil(((oldest + MINUTES) * MINUTE_MS - nowMs) / 1000));
  }

  /** Once a minute: what is an hour old is forgotten. */
  #clean(nowMs: number): void {
    const minute = Math.floor(nowMs / MINUTE_MS);
    if (minute === this.#cleanedAt) return;
    this.#cleanedAt = minute;
    for (const [subject, minutes] of this.#counts) {
      for (const one of minutes.keys()) if (one <= minute - MINUTES) minutes.delete(one);
      if (minutes.size === 0) this.#counts.delete(subject);
    }
  }
}
