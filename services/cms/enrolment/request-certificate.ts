import { DomainError } from '@cardwright/protocol';
import type { AttestationDesk, Subject, SubmittedEvidence } from '../attestation/index.ts';
import { moveCard } from '../cards/index.ts';
import type {
  Certificate,
  CertificateReader,
  CertificateRecords,
  Issuance,
  IssuedChain,
} from '../certificates/index.ts';
import type { Tx } from '../kernel/unit-of-work.ts';
import type { RevocationService, Revocations } from '../revocation/index.ts';
import {
  type DeviceIntent,
  demandUnfinished,
  enrolmentCompleted,
  type Held,
  hold,
  type StepDependencies,
} from './device-steps.ts';

export interface RequestCertificateDependencies extends StepDependencies {
  readonly certificates: CertificateRecords;
  readonly issuance: Issuance;
  readonly reader: CertificateReader;
  readonly revocations: RevocationService;
  readonly revocationRecords: Revocations;
  readonly attestation: AttestationDesk;
}

export interface WantedCertificate {
  readonly container: string;
  readonly csr: Uint8Array;
  /** What the device's TPM states of the key; null if it sent nothing. */
  readonly evidence: SubmittedEvidence | null;
}

/** Records that one enrolment may make for each container: a device that asks more often is not making a card. */
const MAX_CERTIFICATES = 10;

/**
 * A certificate for a key slot of the card. That the device asks tells that the first write is done: the card is created.
 * The same request gives the same certificate; another one supersedes the certificate before.
 * @throws DomainError `not-found`, `enrolment-cancelled`, `enrolment-completed`, `first-write-missing`,
 *   `certificate-limit-reached` (conflict), `container-unknown`, `csr-*` (unprocessable), `card-already-active`; those of the CA; where the
 *   profile demands attestation `attestation-required` and the reasons why evidence is refused (unprocessable).
 */
export async function requestCertificate(
  deps: RequestCertificateDependencies,
  intent: DeviceIntent,
  enrolmentId: string,
  wanted: WantedCertificate,
): Promise<IssuedChain & { readonly certificateId: string }> {
  const { enrolments, issuance, reader, revocations, unitOfWork } = deps;
  const { enrolment } = await unitOfWork.run((tx) => hold(deps, tx, intent, enrolmentId));
  const profile = await enrolments.profile(enrolment.profileName);
  const keyType = profile?.containers.find((one) => one.container === wanted.container)?.keyType;
  if (profile === null || keyType === undefined) {
    const detail = 'The card profile has no such container.';
    const fields = [{ pointer: '/container', detail }];
    throw new DomainError('unprocessable', 'container-unknown', detail, { fields });
  }
  await reader.judgeRequest(wanted.csr, keyType);

  const { cardId, deviceId } = enrolment;
  const subject: Subject = { cardId, deviceId, publicKeyInfo: reader.publicKeyOf(wanted.csr), key: 'new' };
  const judgement = await deps.attestation.judge(profile.attestation, subject, wanted.evidence);

  const { certificateId, superseded } = await unitOfWork.run(async (tx) => {
    const proposed = await propose(deps, tx, intent, enrolmentId, wanted);
    if (proposed.fresh) await deps.attestation.record(tx, intent, proposed.certificateId, subject, judgement);
    return proposed;
  });
  for (const id of superseded) await finishSuperseded(deps, intent, id);
  const issued = await issuance.settle(intent, certificateId);
  // The enrolment may have been cancelled meanwhile: then the certificate that has just come is revoked at once.
  await revocations.confirmAll(intent, [certificateId]);
  return { ...issued, certificateId };
}

async function propose(
  deps: RequestCertificateDependencies,
  tx: Tx,
  intent: DeviceIntent,
  enrolmentId: string,
  wanted: WantedCertificate,
): Promise<{ certificateId: string; superseded: string[]; fresh: boolean }> {
  const held = await hold(deps, tx, intent, enrolmentId);
  const all = await deps.certificates.ofEnrolment(tx, enrolmentId);
  const standing = await notGivenUp(deps, tx, all, wanted.container);
  const same = standing.find((one) => Buffer.from(one.csr).equals(wanted.csr));
  if (same !== undefined && same.status !== 'failed') return { certificateId: same.id, superseded: [], fresh: false };
  if (held.enrolment.state === 'completed') throw enrolmentCompleted();
  await demandWritten(deps, tx, intent, held);
  if (same !== undefined) {
    await deps.issuance.proposeAgain(tx, intent, same);
    return { certificateId: same.id, superseded: [], fresh: true };
  }
  const asked = all.filter(({ container }) => container === wanted.container).length;
  if (asked >= MAX_CERTIFICATES) {
    throw new DomainError(
      'conflict',
      'certificate-limit-reached',
      `This enrolment has asked for ${asked} certificates in this container; cancel it and begin with a new code.`,
    );
  }
  const superseded = standing.filter((one) => one.status !== 'failed');
  for (const certificate of superseded) {
    const comment = 'the device asked again with another key';
    await deps.revocations.propose(tx, intent, certificate, { reason: 'superseded', comment });
  }
  const { personId, deviceId, cardId } = held.enrolment;
  const { container, csr } = wanted;
  const whole = { container, csr, personId, deviceId, cardId, enrolmentId };
  const certificateId = await deps.issuance.propose(tx, intent, whole);
  return { certificateId, superseded: superseded.map((one) => one.id), fresh: true };
}

/** Of one container, without those revoked or about to be. */
async function notGivenUp(
  deps: RequestCertificateDependencies,
  tx: Tx,
  certificates: readonly Certificate[],
  container: string,
): Promise<Certificate[]> {
  const standing: Certificate[] = [];
  for (const certificate of certificates) {
    if (certificate.container !== container || certificate.status === 'revoked') continue;
    if ((await deps.revocationRecords.findIn(tx, certificate.id)) === null) standing.push(certificate);
  }
  return standing;
}

async function demandWritten(deps: RequestCertificateDependencies, tx: Tx, intent: DeviceIntent, { card }: Held) {
  demandUnfinished(card);
  if (card.keyVersion === null || card.nvIndex === null) {
    throw new DomainError(
      'conflict',
      'first-write-missing',
      'The card has no administrator key yet: its first write has to be approved before a certificate is asked for.',
    );
  }
  if (card.state === 'requested') await moveCard(deps, tx, intent, { cardId: card.id, act: 'create' });
}

/** Issued or not, it has to end revoked. What can't be done now stands proposed, and the worker does it. */
async function finishSuperseded(deps: RequestCertificateDependencies, intent: DeviceIntent, id: string): Promise<void> {
  const certificate = await deps.certificates.find(id);
  if (certificate?.status === 'proposed') await deps.issuance.settle(intent, id).catch(() => undefined);
  await deps.revocations.confirmAll(intent, [id]);
}
