import { DomainError } from '@cardwright/protocol';

/** What a card profile says of the renewal of one container's certificate. */
export interface RenewalPolicy {
  readonly keyType: string;
  /** Days before its end from which a certificate is renewed. What is left out: 30, or a third of its life if that is shorter. */
  readonly renewalDays?: number | undefined;
  /**
   * `same` (what is left out): the device does it alone, without a PIN, because the request that once proved the key is here.
   * `new`: a new key, whose request its holder signs with the PIN.
   */
  readonly renewalKey?: 'same' | 'new' | undefined;
}

const USUAL_DAYS = 30;
const DAY_MS = 86_400_000;

export function renewableFrom(
  validity: { readonly notBefore: Date; readonly notAfter: Date },
  policy: RenewalPolicy,
): Date {
  const notAfter = validity.notAfter.getTime();
  const life = notAfter - validity.notBefore.getTime();
  const days = policy.renewalDays === undefined ? USUAL_DAYS : policy.renewalDays;
  const window = policy.renewalDays === undefined ? Math.min(days * DAY_MS, life / 3) : days * DAY_MS;
  // A window longer than the certificate's life would renew it for ever: half of it is the least that it serves.
  return new Date(notAfter - Math.min(window, life / 2));
}

/** @throws DomainError `renewal-too-early` (conflict) with `data.renewableFrom`. */
export function demandDue(from: Date, now: Date): void {
  if (now >= from) return;
  const renewable = from.toISOString();
  throw new DomainError('conflict', 'renewal-too-early', `The certificate can be renewed from ${renewable} on.`, {
    data: { renewableFrom: renewable },
  });
}

/** @throws DomainError `renewal-needs-new-key` (unprocessable). */
export function demandKey(policy: RenewalPolicy, key: 'same' | 'new'): void {
  if (policy.renewalKey !== 'new' || key === 'new') return;
  throw new DomainError(
    'unprocessable',
    'renewal-needs-new-key',
    "The card's profile asks for a new key with each certificate: send a request of a new key, signed with it.",
  );
}
