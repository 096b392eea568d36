import { type Certificate, certificateNotFound, shownStatus } from '../certificates/index.ts';
import type { Intent } from '../kernel/actor.ts';
import type { Tx } from '../kernel/unit-of-work.ts';
import { firstAttempt } from './back-off.ts';
import { failureOf } from './failure.ts';
import { cannotRelease, demandHoldAct, type Hold, type HoldAct } from './hold.ts';
import { aboutCertificate, type RevocationDependencies } from './revoke-certificate.ts';

export interface HoldService {
  /**
   * Puts a certificate on hold, or releases it. Decided and recorded, then the CA is told; what it can't be told now
   * the worker tells it. Asked again, the same act.
   * @throws DomainError `not-found`; those of {@link demandHoldAct}; `ca-cannot-release` (unprocessable).
   */
  act(intent: Intent, certificateId: string, act: HoldAct, comment: string): Promise<Hold>;
  /** Newest first. @throws DomainError `not-found`. */
  history(certificateId: string): Promise<readonly Hold[]>;
  /** Second phase, in no transaction, repeatable. @throws DomainError of the CA, which is noted. */
  confirm(intent: Intent, certificateId: string): Promise<void>;
}

const ACTION = {
  hold: { asked: 'certificate.hold-requested', done: 'certificate.held', status: 'on-hold' },
  release: { asked: 'certificate.release-requested', done: 'certificate.released', status: 'active' },
} as const;

export function createHolds(deps: RevocationDependencies): HoldService {
  const { revocations, holds, certificates, authorities, unitOfWork, audit, runtime } = deps;

  const record = (tx: Tx, intent: Intent, action: string, certificate: Certificate, hold: Recorded) =>
    audit.record(tx, intent, {
      action,
      object: { kind: 'certificate', id: certificate.id },
      about: aboutCertificate(certificate),
      after: {
        comment: hold.comment,
        takesEffectAt: hold.takesEffectAt.toISOString(),
        ...('serialNumber' in certificate ? { serialNumber: certificate.serialNumber } : {}),
      },
    });

  async function propose(tx: Tx, intent: Intent, certificate: Certificate, act: HoldAct, comment: string) {
    const now = runtime.now();
    const hold = {
      id: runtime.newId(),
      certificateId: certificate.id,
      ...{ act, comment },
      ticket: intent.ticket ?? null,
      requestedBy: { id: intent.actor.id, name: intent.actor.name },
      requestId: intent.requestId,
      takesEffectAt: now,
      createdAt: now,
    };
    await holds.insert(tx, { ...hold, nextAttemptAt: firstAttempt(now) });
    await record(tx, intent, ACTION[act].asked, certificate, hold);
    return hold.id;
  }

  async function tell(certificate: Certificate & { readonly serialNumber: string }, hold: Hold): Promise<void> {
    try {
      const authority = authorities.of(certificate.authority);
      if (authority.release === undefined) throw cannotRelease(certificate.authority);
      if (hold.act === 'hold') {
        await authority.revoke(certificate.serialNumber, 'certificateHold', hold.takesEffectAt);
      } else {
        // The same time each time it is told: the CA knows it for the same release.
        await authority.release(certificate.serialNumber, hold.takesEffectAt);
      }
    } catch (error) {
      await holds.noteFailure(hold.id, failureOf(error, hold, runtime.now()));
      throw error;
    }
  }

  async function confirm(intent: Intent, certificateId: string): Promise<void> {
    const certificate = await certificates.find(certificateId);
    const hold = await holds.open(certificateId);
    if (certificate === null || hold === null || !('serialNumber' in certificate)) return;
    await tell(certificate, hold);
    await unitOfWork.run(async (tx) => {
      const locked = await certificates.lock(tx, certificateId);
      const current = await holds.openIn(tx, certificateId);
      // Settled meanwhile: by somebody who told the CA too, or because the certificate is to be revoked for ever.
      if (locked === null || current?.id !== hold.id) return;
      await holds.settle(tx, hold.id, { state: 'confirmed', confirmedAt: runtime.now() });
      await certificates.setStatus(tx, certificateId, ACTION[hold.act].status);
      const why = {
        ...intent,
        requestId: hold.requestId,
        reason: intent.reason ?? hold.comment,
        ticket: intent.ticket ?? hold.ticket ?? undefined,
      };
      await record(tx, why, ACTION[hold.act].done, locked, hold);
    });
  }

  return {
    confirm,

    async act(intent, certificateId, act, comment) {
      const holdId = await unitOfWork.run(async (tx) => {
        const certificate = await certificates.lock(tx, certificateId);
        if (certificate === null) throw certificateNotFound();
        const open = await holds.openIn(tx, certificateId);
        const notAfter = 'notAfter' in certificate ? certificate.notAfter : null;
        const what = demandHoldAct(act, {
          status: shownStatus({ status: certificate.status, notAfter }, runtime.now()),
          revocationProposed: (await revocations.findIn(tx, certificateId)) !== null,
          open: open?.act ?? null,
        });
        if (what === 'again') return (open ?? (await holds.latestIn(tx, certificateId, act)))?.id ?? null;
        if (authorities.of(certificate.authority).release === undefined) throw cannotRelease(certificate.authority);
        return propose(tx, intent, certificate, act, comment);
      });
      await confirm(intent, certificateId).catch(deps.onUnconfirmed);
      const made = (await holds.ofCertificate(certificateId)).find(({ id }) => id === holdId);
      if (made === undefined) throw new Error(`certificate ${certificateId} has no ${act}`);
      return made;
    },

    async history(certificateId) {
      if ((await certificates.find(certificateId)) === null) throw certificateNotFound();
      return holds.ofCertificate(certificateId);
    },
  };
}

interface Recorded {
  readonly comment: string;
  readonly takesEffectAt: Date;
}
