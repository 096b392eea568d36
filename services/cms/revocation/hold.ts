import { DomainError } from '@cardwright/protocol';
import type { Telling } from './revocation.ts';

/** A certificate is put on hold, or released from it. Each is a row of its own, and the rows are the history. */
export type HoldAct = 'hold' | 'release';
/** superseded: before the CA had heard of it, the certificate was to be revoked for ever. */
export type HoldState = 'proposed' | 'confirmed' | 'superseded';

export interface Hold extends Telling {
  readonly id: string;
  readonly certificateId: string;
  readonly act: HoldAct;
  readonly state: HoldState;
  readonly comment: string;
  readonly ticket: string | null;
  readonly requestedBy: { readonly id: string; readonly name: string };
  readonly requestId: string;
  readonly takesEffectAt: Date;
  readonly createdAt: Date;
  readonly confirmedAt: Date | null;
}

export interface Standing {
  readonly status: string;
  readonly revocationProposed: boolean;
  readonly open: HoldAct | null;
}

/**
 * Whether the act is to be begun, or (`again`) is what was asked for before.
 * @throws DomainError (conflict) `certificate-already-revoked`, `certificate-not-active`, `certificate-not-on-hold`,
 *   `hold-under-way`, `release-under-way`.
 */
export function demandHoldAct(act: HoldAct, { status, revocationProposed, open }: Standing): 'begin' | 'again' {
  if (revocationProposed || status === 'revoked') {
    throw conflict('certificate-already-revoked', 'The certificate is revoked, and that is for ever.');
  }
  if (open === act) return 'again';
  if (open !== null) {
    const detail = `The CA has not heard of the ${open} before yet; wait until it has, or revoke the certificate.`;
    throw conflict(`${open}-under-way`, detail);
  }
  if (act === 'hold') {
    if (status === 'on-hold') return 'again';
    if (status !== 'active') throw conflict('certificate-not-active', `The certificate is ${status}, not active.`);
    return 'begin';
  }
  if (status !== 'on-hold') throw conflict('certificate-not-on-hold', `The certificate is ${status}, not on hold.`);
  return 'begin';
}

/** A CA that can't end a hold is asked for none: it would be a revocation under another name. */
export function cannotRelease(authority: string): DomainError {
  const detail = `The CA ${authority} can't end a hold, so none is begun there. Revoke the certificate, or leave it.`;
  return new DomainError('unprocessable', 'ca-cannot-release', detail);
}

const conflict = (code: string, detail: string) => new DomainError('conflict', code, detail);
