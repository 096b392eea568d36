import { createHash } from 'node:crypto';
import type { Authority, AuthorityName } from '../authorities/authority.ts';
import { buildCrl, type RevokedEntry } from './crl.ts';

export interface StoredCrl {
  readonly number: bigint;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  /** How many revocations it covers. */
  readonly revocationCount: bigint;
  /** CertificateList, DER. */
  readonly crl: Buffer;
}

export interface CrlStore {
  current(issuer: AuthorityName): Promise<StoredCrl | null>;
  /** Of all that are recorded now. */
  revocationCount(issuer: AuthorityName): Promise<bigint>;
  /** Gives `make` the next number and all revocations; what it makes is stored in the same transaction. */
  replace(
    issuer: AuthorityName,
    make: (number: bigint, entries: readonly RevokedEntry[], revocationCount: bigint) => Promise<StoredCrl>,
  ): Promise<StoredCrl>;
}

/** How long a CRL is good, and at what age the next one is made: well before, so that an outage can be mended. */
export interface CrlSchedule {
  readonly lifetimeMs: number;
  readonly renewAfterMs: number;
}
const HOUR_MS = 3_600_000;
export const CRL_SCHEDULES: Readonly<Record<AuthorityName, CrlSchedule>> = {
  issuing: { lifetimeMs: 24 * HOUR_MS, renewAfterMs: 12 * HOUR_MS },
  // Long, for the root's key is meant to go offline some day.
  root: { lifetimeMs: 180 * 24 * HOUR_MS, renewAfterMs: 90 * 24 * HOUR_MS },
};

export interface PublishedCrl extends StoredCrl {
  /** Entity tag with its quotes (RFC 9110 8.8.3). */
  readonly etag: string;
}

export interface PublisherOptions {
  readonly authority: Authority;
  readonly schedule: CrlSchedule;
  readonly store: CrlStore;
  readonly now: () => Date;
}

/**
 * Keeps one authority's CRL right: made anew after each revocation and before it ends, written once, served many times.
 * Calls to `refresh` that come while one is being made share the next: a thousand revocations don't make a thousand CRLs.
 */
export function crlPublisher({ authority, schedule, store, now }: PublisherOptions) {
  let latest: PublishedCrl | null = null;
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;

  const publish = (crl: StoredCrl): void => {
    if (latest !== null && latest.number >= crl.number) return;
    latest = { ...crl, etag: `"${createHash('sha256').update(crl.crl).digest('base64url').slice(0, 22)}"` };
  };

  async function make(number: bigint, entries: readonly RevokedEntry[], revocationCount: bigint): Promise<StoredCrl> {
    const thisUpdate = new Date(Math.floor(now().getTime() / 1000) * 1000);
    const nextUpdate = new Date(thisUpdate.getTime() + schedule.lifetimeMs);
    const crl = await authority.signCrl(buildCrl({ issuer: authority, number, thisUpdate, nextUpdate, entries }));
    return { number, thisUpdate, nextUpdate, revocationCount, crl };
  }

  /** Another process may have made a newer one, and only the database knows. */
  async function bringUpToDate(): Promise<void> {
    // The count first: whatever is recorded after it makes the next round necessary, never this one wrong.
    const count = await store.revocationCount(authority.role);
    const current = await store.current(authority.role);
    const age = current === null ? Number.POSITIVE_INFINITY : now().getTime() - current.thisUpdate.getTime();
    // A negative age: the clock was set back, and the CRL would seem to come from the future.
    const good = current !== null && current.revocationCount >= count && age >= 0 && age < schedule.renewAfterMs;
    publish(good ? current : await store.replace(authority.role, make));
  }

  function start(): Promise<void> {
    running = bringUpToDate().finally(() => {
      running = null;
    });
    return running;
  }

  return {
    /** @returns when a CRL is published that covers every revocation recorded before the call. */
    refresh(): Promise<void> {
      if (running === null) return start();
      next ??= running
        .catch(() => undefined)
        .then(() => {
          next = null;
          return start();
        });
      return next;
    },
    /** null until the first refresh has succeeded. */
    current: (): PublishedCrl | null => latest,
  };
}
export type CrlPublisher = ReturnType<typeof crlPublisher>;
