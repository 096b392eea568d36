import type { CertificateStatus } from './response.ts';

/**
 * What stands of a certificate, remembered so that an answer which must be signed anew costs no look at the database. As
 * with {@link Answers}: note {@link mark} before looking, and what was found is remembered only if nothing was forgotten
 * since.
 */
export class KnownStatuses {
  readonly #most: number;
  readonly #statuses = new Map<string, CertificateStatus>();
  #mark = 0;

  /** @param most of them, some 200 bytes each; the oldest go first */
  constructor(most: number) {
    this.#most = most;
  }

  get mark(): number {
    return this.#mark;
  }

  /** @returns null unless all of them are known. */
  all(serials: readonly string[]): ReadonlyMap<string, CertificateStatus> | null {
    const found = new Map<string, CertificateStatus>();
    for (const serial of serials) {
      const status = this.#statuses.get(serial);
      if (status === undefined) return null;
      found.set(serial, status);
    }
    return found;
  }

  remember(statuses: ReadonlyMap<string, CertificateStatus>, mark: number): void {
    if (mark !== this.#mark) return;
    for (const [serial, status] of statuses) {
      if (this.#statuses.size >= this.#most) {
        const [oldest] = this.#statuses.keys();
        if (oldest !== undefined) this.#statuses.delete(oldest);
      }
      this.#statuses.set(serial, status);
    }
  }

  /** null: any may have changed. */
  forget(serials: readonly string[] | null): void {
    this.#mark += 1;
    if (serials === null) this.#statuses.clear();
    else for (const serial of serials) this.#statuses.delete(serial);
  }
}
