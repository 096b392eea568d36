import { DomainError } from '@cardwright/protocol';
import {
  type Authorities,
  assertRevocable,
  type Certificate,
  type CertificateRecords,
  certificateNotFound,
  shownStatus,
} from '../certificates/index.ts';
import type { Intent } from '../kernel/actor.ts';
import type { AuditTrail } from '../kernel/audit-entry.ts';
import type { Runtime } from '../kernel/runtime.ts';
import type { Tx, UnitOfWork } from '../kernel/unit-of-work.ts';
import { firstAttempt } from './back-off.ts';
import { failureOf } from './failure.ts';
import type { Holds, Revocations } from './ports.ts';
import { demandInvalidity, mayConfirm, type Revocation, type RevocationReason } from './revocation.ts';

export interface RevocationDependencies {
  readonly revocations: Revocations;
  readonly holds: Holds;
  readonly certificates: CertificateRecords;
  readonly authorities: Authorities;
  readonly unitOfWork: UnitOfWork;
  readonly audit: AuditTrail;
  readonly runtime: Runtime;
  /** Told of each revocation that the CA could not be told now. For the log. */
  readonly onUnconfirmed: (error: unknown) => void;
}

export interface Why {
  readonly reason: RevocationReason;
  readonly comment: string;
  /** Since when the certificate is not to be trusted. One that began later is not to be trusted since it began. */
  readonly invalidityDate?: Date | undefined;
}

export interface RevocationService {
  /**
   * Decides, records, then tells the CA. When the CA can't be told now, the decision stands as `proposed` and the
   * worker tells it. Asked again with the same reason: the same revocation.
   * @throws DomainError `not-found`; `certificate-not-active`, `certificate-already-revoked` (conflict);
   *   `invalidity-date-in-future`, `invalidity-date-before-certificate` (unprocessable).
   */
  revoke(intent: Intent, certificateId: string, why: Why): Promise<Revocation>;
  /** @throws DomainError `not-found`. */
  find(certificateId: string): Promise<Revocation>;
  /** First phase for every certificate of a card that counts or may still come to. Gives their ids. */
  proposeForCard(tx: Tx, intent: Intent, cardId: string, why: Why): Promise<readonly string[]>;
  /**
   * First phase for one certificate, whatever its state but failed; nothing when it is proposed already.
   * @param toldFrom from when on the worker tells the CA; without it, the caller has time to do so first.
   */
  propose(tx: Tx, intent: Intent, certificate: Certificate, why: Why, toldFrom?: Date): Promise<void>;
  /** Second phase, in no transaction, repeatable. @throws DomainError of the CA, which is noted. */
  confirm(intent: Intent, certificateId: string): Promise<void>;
  /** The same for each; what the CA can't be told now stays proposed, and the worker tells it. Never throws for it. */
  confirmAll(intent: Intent, certificateIds: readonly string[]): Promise<void>;
  /** Both phases for a card, for who has no transaction of his own. */
  revokeCertificates(of: { readonly cardId: string } & Why, intent: Intent): Promise<void>;
}

export function createRevocations(deps: RevocationDependencies): RevocationService {
  const { revocations, certificates, authorities, unitOfWork, audit, runtime } = deps;

  const record = (tx: Tx, intent: Intent, action: string, certificate: Certificate, revocation: Recorded) =>
    audit.record(tx, intent, {
      action,
      object: { kind: 'certificate', id: certificate.id },
      about: aboutCertificate(certificate),
      after: {
        revocationReason: revocation.reason,
        comment: revocation.comment,
        revokedAt: revocation.revokedAt.toISOString(),
        ...(revocation.invalidityDate === null ? {} : { invalidityDate: revocation.invalidityDate.toISOString() }),
        ...('serialNumber' in certificate ? { serialNumber: certificate.serialNumber } : {}),
      },
    });

  async function propose(tx: Tx, intent: Intent, certificate: Certificate, why: Why, toldFrom?: Date): Promise<void> {
    if ((await revocations.findIn(tx, certificate.id)) !== null) return;
    // What the CA has not heard of a hold it need not hear any more: this stands above it.
    const hold = await deps.holds.openIn(tx, certificate.id);
    if (hold !== null) await deps.holds.settle(tx, hold.id, { state: 'superseded' });
    const now = runtime.now();
    const revocation = {
      id: runtime.newId(),
      certificateId: certificate.id,
      reason: why.reason,
      comment: why.comment,
      ticket: intent.ticket ?? null,
      requestedBy: { id: intent.actor.id, name: intent.actor.name },
      requestId: intent.requestId,
      revokedAt: now,
      invalidityDate: why.invalidityDate === undefined ? null : inLife(certificate, why.invalidityDate),
      createdAt: now,
    };
    await revocations.insert(tx, { ...revocation, nextAttemptAt: toldFrom ?? firstAttempt(now) });
    await record(tx, intent, 'certificate.revocation-requested', certificate, revocation);
  }

  /** The CA's own time of it. One that was never issued needs no telling. */
  async function tell(certificate: Exclude<Certificate, { status: 'proposed' }>, revocation: Revocation) {
    if (certificate.status === 'failed') return revocation.revokedAt;
    const { reason, invalidityDate } = revocation;
    const from = inLife(certificate, revocation.revokedAt);
    try {
      const authority = authorities.of(certificate.authority);
      return (await authority.revoke(certificate.serialNumber, reason, from, invalidityDate ?? undefined)).revokedAt;
    } catch (error) {
      await revocations.noteFailure(revocation.id, failureOf(error, revocation, runtime.now()));
      throw error;
    }
  }

  async function confirm(intent: Intent, certificateId: string): Promise<void> {
    const certificate = await certificates.find(certificateId);
    const revocation = await revocations.find(certificateId);
    if (certificate === null || revocation === null || !mayConfirm(revocation.state)) return;
    // Not issued yet: who settles the issuance goes on to here, and if nobody does the worker.
    if (certificate.status === 'proposed') return;
    const revokedAt = await tell(certificate, revocation);
    await unitOfWork.run(async (tx) => {
      const locked = await certificates.lock(tx, certificateId);
      const current = await revocations.findIn(tx, certificateId);
      // `failed` may have become `active` in between (the CA's word came late): then the CA is still to be told.
      if (locked === null || current === null || !mayConfirm(current.state)) return;
      if (certificate.status === 'failed' && locked.status !== 'failed') return;
      await revocations.confirm(tx, current.id, revokedAt, runtime.now());
      if (locked.status !== 'active' && locked.status !== 'on-hold') return;
      await certificates.setStatus(tx, certificateId, 'revoked');
      const why = {
        ...intent,
        requestId: current.requestId ?? intent.requestId,
        reason: intent.reason ?? current.comment,
        ticket: intent.ticket ?? current.ticket ?? undefined,
      };
      await record(tx, why, 'certificate.revoked', locked, { ...current, revokedAt });
    });
  }

  /** Whatever the CA says now, the decision is recorded and will be carried out: its state says how far it is. */
  async function confirmAll(intent: Intent, certificateIds: readonly string[]): Promise<void> {
    for (const id of certificateIds) await confirm(intent, id).catch(deps.onUnconfirmed);
  }

  async function proposeForCard(tx: Tx, intent: Intent, cardId: string, why: Why): Promise<readonly string[]> {
    const live = await certificates.lockLiveOfCard(tx, cardId);
    for (const certificate of live) await propose(tx, intent, certificate, why);
    return live.map((certificate) => certificate.id);
  }

  async function find(certificateId: string): Promise<Revocation> {
    const revocation = await revocations.find(certificateId);
    if (revocation === null) throw new DomainError('not-found', 'not-found', 'The certificate is not revoked.');
    return revocation;
  }

  return {
    propose,
    proposeForCard,
    confirm,
    confirmAll,
    find,

    async revoke(intent, certificateId, why) {
      await unitOfWork.run(async (tx) => {
        const certificate = await certificates.lock(tx, certificateId);
        if (certificate === null) throw certificateNotFound();
        const existing = await revocations.findIn(tx, certificateId);
        if (existing !== null) {
          if (existing.reason === why.reason) return;
          const detail = `The certificate was revoked before, for ${existing.reason}; the first revocation stands.`;
          throw new DomainError('conflict', 'certificate-already-revoked', detail);
        }
        const notAfter = 'notAfter' in certificate ? certificate.notAfter : null;
        assertRevocable(shownStatus({ status: certificate.status, notAfter }, runtime.now()));
        demandInvalidity(why.invalidityDate, beginOf(certificate), runtime.now());
        await propose(tx, intent, certificate, why);
      });
      await confirmAll(intent, [certificateId]);
      return find(certificateId);
    },

    async revokeCertificates({ cardId, ...why }, intent) {
      const ids = await unitOfWork.run((tx) => proposeForCard(tx, intent, cardId, why));
      await confirmAll(intent, ids);
    },
  };
}

export const aboutCertificate = (certificate: Certificate) => ({
  certificateId: certificate.id,
  cardId: certificate.cardId,
  deviceId: certificate.deviceId,
  personId: certificate.personId,
  enrolmentId: certificate.enrolmentId,
});

const beginOf = (certificate: Certificate): Date | null => ('notBefore' in certificate ? certificate.notBefore : null);

/** Nothing is said of the time before a certificate: one that was given up while it was being issued never counted. */
function inLife(certificate: Certificate, at: Date): Date {
  const begin = beginOf(certificate);
  return begin !== null && begin > at ? begin : at;
}

interface Recorded {
  readonly reason: string;
  readonly comment: string;
  readonly revokedAt: Date;
  readonly invalidityDate: Date | null;
}
