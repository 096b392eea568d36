import { createHash } from 'node:crypto';
import type { Authority, AuthorityName } from '../authorities/authority.ts';
import { CrlWriter } from './crl.ts';
import { type CrlKind, crlName } from './crl-name.ts';
import { type CrlHead, type CrlSchedule, type CrlState, dueCrls } from './schedule.ts';

export interface StoredCrl extends CrlHead {
  /** CertificateList, DER. */
  readonly crl: Buffer;
}

export interface MadeCrls {
  readonly full: StoredCrl | null;
  readonly delta: (StoredCrl & { readonly baseNumber: bigint }) | null;
  readonly number: bigint;
  /** null: as it was. */
  readonly base: CrlState['base'];
}

/** All of one moment. */
export interface CrlSource {
  readonly state: CrlState;
  /** Of all that are revoked or on hold: entries in DER, in batches. */
  entries(): AsyncIterable<Buffer>;
  /** The last change of each certificate after change number `after`, in DER. */
  changesAfter(after: bigint): Promise<{ readonly count: number; readonly entries: Buffer }>;
}

export interface CrlStore {
  state(issuer: AuthorityName, shard: number): Promise<CrlState>;
  current(issuer: AuthorityName, shard: number, kind: CrlKind): Promise<StoredCrl | null>;
  /** One process at a time. What `make` gives is stored with its numbers, all or nothing; null: nothing to do. */
  replace(
    issuer: AuthorityName,
    shard: number,
    make: (source: CrlSource) => Promise<MadeCrls | null>,
  ): Promise<MadeCrls | null>;
}

export interface PublishedCrl extends StoredCrl {
  /** Entity tag with its quotes (RFC 9110 8.8.3). */
  readonly etag: string;
}

export interface PublisherOptions {
  readonly authority: Authority;
  readonly shards: number;
  /** Of this authority's CRLs, without the name. */
  readonly baseUrl: string;
  readonly schedule: CrlSchedule;
  readonly store: CrlStore;
  readonly now: () => Date;
}

/**
 * Keeps one authority's CRLs right: made anew after each change of a status and before they end, written once, served
 * many times. Calls to `refresh` that come while one is being made share the next: a thousand revocations don't make a
 * thousand CRLs.
 */
export function crlPublisher({ authority, shards, baseUrl, schedule, store, now }: PublisherOptions) {
  const issuer = authority.role;
  const published = new Map<string, PublishedCrl>();
  const everyShard = Array.from({ length: shards }, (_, shard) => shard);
  const wanted = new Set<number>();
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;

  const urlOf = (shard: number, kind: CrlKind) => `${baseUrl}/${crlName(issuer, shard, shards, kind)}`;

  function publish(shard: number, kind: CrlKind, crl: StoredCrl | null): void {
    const name = crlName(issuer, shard, shards, kind);
    if (crl === null || (published.get(name)?.number ?? 0n) >= crl.number) return;
    const etag = `"${createHash('sha256').update(crl.crl).digest('base64url').slice(0, 22)}"`;
    published.set(name, { ...crl, etag });
  }

  async function make(shard: number, { state, entries, changesAfter }: CrlSource): Promise<MadeCrls | null> {
    const due = dueCrls(state, schedule, now());
    if (!due.full && !due.delta) return null;
    const number = state.number + 1n;
    const thisUpdate = new Date(Math.floor(now().getTime() / 1000) * 1000);
    const { changeCount, base } = state;
    const common = {
      issuer: authority,
      number,
      thisUpdate,
      distributionPoint: shards === 1 ? null : urlOf(shard, 'full'),
    };
    const head = (lifetimeMs: number) => {
      const nextUpdate = new Date(Math.min(thisUpdate.getTime() + lifetimeMs, authority.notAfter.getTime()));
      return { number, thisUpdate, nextUpdate, changeCount };
    };

    let full: StoredCrl | null = null;
    if (due.full) {
      const { entryCount, entryBytes } = state;
      const fullHead = head(schedule.full.lifetimeMs);
      const freshest = schedule.delta === null ? null : urlOf(shard, 'delta');
      const kind = { full: true, freshest } as const;
      const writer = new CrlWriter({ ...common, ...fullHead, kind, entryCount, entryBytes });
      for await (const batch of entries()) writer.write(batch);
      full = { ...fullHead, crl: await authority.signCrl(writer.end()) };
    }
    let delta: MadeCrls['delta'] = null;
    if (due.delta && base !== null && schedule.delta !== null) {
      const { count: entryCount, entries: changes } = await changesAfter(base.changeCount);
      const kind = { full: false, baseNumber: base.number } as const;
      const deltaHead = head(schedule.delta.lifetimeMs);
      const writer = new CrlWriter({ ...common, ...deltaHead, kind, entryCount, entryBytes: changes.length });
      writer.write(changes);
      delta = { ...deltaHead, baseNumber: base.number, crl: await authority.signCrl(writer.end()) };
    }
    return { full, delta, number, base: due.rebase ? { number, changeCount, at: thisUpdate } : base };
  }

  async function bringUpToDate(shard: number): Promise<void> {
    // Twice: the first full CRL of all is followed by its first delta.
    for (let round = 0; round < 2; round += 1) {
      const state = await store.state(issuer, shard);
      const due = dueCrls(state, schedule, now());
      // An authority that is offline signs elsewhere: what is imported from there is published below.
      const made =
        authority.online && (due.full || due.delta)
          ? await store.replace(issuer, shard, (source) => make(shard, source))
          : null;
      if (made === null) break;
      publish(shard, 'full', made.full);
      publish(shard, 'delta', made.delta);
    }
    // Another process may have made newer ones, and only the database knows.
    const state = await store.state(issuer, shard);
    for (const kind of ['full', 'delta'] as const) {
      const known = published.get(crlName(issuer, shard, shards, kind))?.number ?? 0n;
      if ((state[kind]?.number ?? 0n) > known) publish(shard, kind, await store.current(issuer, shard, kind));
    }
  }

  function start(): Promise<void> {
    const these = [...wanted];
    wanted.clear();
    running = (async () => {
      const failures: unknown[] = [];
      // One after the other: each takes connections of the pool, and memory. One that fails must not stop the others.
      for (const shard of these) await bringUpToDate(shard).catch((error: unknown) => failures.push(error));
      if (failures.length > 0) throw failures[0];
    })().finally(() => {
      running = null;
    });
    return running;
  }

  return {
    /**
     * @param shard null: all
     * @returns when CRLs are published that cover every change recorded before the call (of long ones: the deltas).
     */
    refresh(shard: number | null = null): Promise<void> {
      for (const each of shard === null ? everyShard : [shard]) wanted.add(each);
      if (running === null) return start();
      next ??= running
        .catch(() => undefined)
        .then(() => {
          next = null;
          return start();
        });
      return next;
    },
    /** The names under which CRLs are published, as in their URLs. */
    names: (): readonly string[] =>
      everyShard.flatMap((shard) =>
        (schedule.delta === null ? (['full'] as const) : (['full', 'delta'] as const)).map((kind) =>
          crlName(issuer, shard, shards, kind),
        ),
      ),
    /** null until the first refresh has succeeded. */
    current: (name: string): PublishedCrl | null => published.get(name) ?? null,
    /** The full CRLs in one: the newest number, and when the first of them ends. null: not all are made yet. */
    health(): { readonly number: bigint; readonly nextUpdate: Date } | null {
      const names = everyShard.map((shard) => crlName(issuer, shard, shards, 'full'));
      const fulls = names.flatMap((name) => published.get(name) ?? []);
      const [first] = fulls;
      if (first === undefined || fulls.length < shards) return null;
      return fulls.reduce(
        (all, { number, nextUpdate }) => ({
          number: number > all.number ? number : all.number,
          nextUpdate: nextUpdate < all.nextUpdate ? nextUpdate : all.nextUpdate,
        }),
        { number: first.number, nextUpdate: first.nextUpdate },
      );
    },
  };
}
export type CrlPublisher = ReturnType<typeof crlPublisher>;
