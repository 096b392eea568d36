import { DomainError } from '@cardwright/protocol';

/** What a card profile says of the renewal of one container's certificate. */
export interface RenewalPolicy {
  readonly keyType: string;
  /** Days before its end from which a certificate is renewed. What is left out: 30, or a third of its life if that is shorter. */
  readonly renewalDays?: number | null | undefined;
  /**
   * `same` (what is left out): the device does it alone, without a PIN, because the request that once proved the key is here.
   * `new`: a new key, whose request its holder signs with the PIN.
   */
  readonly renewalKey?: 'same' | 'new' | undefined;
  /** A key that is older gets no further certificate. Null: it may become as old as it likes. */
  readonly maxKeyAgeDays?: number | null | undefined;
}

/** What is known of a certificate that is to be renewed, beside what stands in it. */
export interface RenewalFacts {
  /** Since when there is a certificate, or the wish for one, for its key. */
  readonly keySince: Date;
  /** Somebody asked for its renewal: it is due, whatever the window. */
  readonly requestedAt: Date | null;
}

const USUAL_DAYS = 30;
/** Of one container, refused ones too: a device that asks more often is not renewing. */
export const MAX_A_DAY = 5;
export const DAY_MS = 86_400_000;

export function renewableFrom(
  validity: { readonly notBefore: Date; readonly notAfter: Date },
  policy: RenewalPolicy,
  requestedAt: Date | null = null,
): Date {
  const notAfter = validity.notAfter.getTime();
  const life = notAfter - validity.notBefore.getTime();
  const days = policy.renewalDays ?? null;
  const window = days === null ? Math.min(USUAL_DAYS * DAY_MS, life / 3) : days * DAY_MS;
  // A window longer than the certificate's life would renew it for ever: half of it is the least that it serves.
  const from = notAfter - Math.min(window, life / 2);
  return new Date(requestedAt === null ? from : Math.min(from, requestedAt.getTime()));
}

/** @throws DomainError `renewal-too-early` (conflict) with `data.renewableFrom`. */
export function demandDue(from: Date, now: Date): void {
  if (now >= from) return;
  const renewable = from.toISOString();
  throw new DomainError('conflict', 'renewal-too-early', `The certificate can be renewed from ${renewable} on.`, {
    data: { renewableFrom: renewable },
  });
}

/** With which key the next certificate is to be, if it is asked for now. */
export function keyFor(policy: RenewalPolicy, { keySince }: Pick<RenewalFacts, 'keySince'>, now: Date): 'same' | 'new' {
  const isTooOld = policy.maxKeyAgeDays != null && now.getTime() - keySince.getTime() > policy.maxKeyAgeDays * DAY_MS;
  return policy.renewalKey === 'new' || isTooOld ? 'new' : 'same';
}

/** @throws DomainError `renewal-needs-new-key` (unprocessable). */
export function demandKey(
  policy: RenewalPolicy,
  key: 'same' | 'new',
  facts: Pick<RenewalFacts, 'keySince'>,
  now: Date,
): void {
  if (key === 'new' || keyFor(policy, facts, now) === 'same') return;
  const why =
    policy.renewalKey === 'new'
      ? 'The profile asks for a new key with each certificate'
      : `The key is older than the ${policy.maxKeyAgeDays} days that the profile gives it`;
  const detail = `${why}: send a request of a new key, signed with it.`;
  throw new DomainError('unprocessable', 'renewal-needs-new-key', detail);
}
