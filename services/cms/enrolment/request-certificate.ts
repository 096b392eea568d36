import { DomainError } from '@cardwright/protocol';
import type { AttestationDesk, Subject, SubmittedEvidence } from '../attestation/index.ts';
import { moveCard } from '../cards/index.ts';
import type { CertificateProfiles } from '../certificate-profiles/index.ts';
import type {
  Assurance,
  Certificate,
  CertificateReader,
  CertificateRecords,
  Issuance,
  IssuedChain,
} from '../certificates/index.ts';
import type { Tx } from '../kernel/unit-of-work.ts';
import type { RevocationService, Revocations } from '../revocation/index.ts';
import { assuranceOf } from './assurance.ts';
import {
  type DeviceIntent,
  demandUnfinished,
  enrolmentCompleted,
  type Held,
  hold,
  type StepDependencies,
} from './device-steps.ts';
import { judgeProof, type ProofDependencies, type Proven, stillInForce } from './existing-certificate.ts';
import type { Vouchers } from './ports.ts';
import type { SubmittedProof } from './proof-signature.ts';
import { demandSupervised } from './supervise-pin.ts';

export interface RequestCertificateDependencies extends StepDependencies, ProofDependencies {
  readonly vouchers: Vouchers;
  readonly certificateProfiles: Pick<CertificateProfiles, 'find'>;
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
  /** What an existing certificate of the person signed for it; null if it sent nothing. */
  readonly proof: SubmittedProof | null;
}

/** Records that one enrolment may make for each container: a device that asks more often is not making a card. */
const MAX_CERTIFICATES = 10;

/**
 * A certificate for a key slot of the card. That the device asks tells that the first write is done: the card is created.
 * The same request gives the same certificate; another one supersedes the certificate before.
 * @throws DomainError `not-found`, `enrolment-cancelled`, `enrolment-completed`, `first-write-missing`,
 *   `certificate-limit-reached`, `initial-pin-not-confirmed` (conflict), `container-unknown`, `csr-*` (unprocessable),
 *   `card-already-active`; those of {@link judgeProof}; those of the CA; where the profile demands attestation
 *   `attestation-required` and the reasons why evidence is refused (unprocessable).
 */
export async function requestCertificate(
  deps: RequestCertificateDependencies,
  intent: DeviceIntent,
  enrolmentId: string,
  wanted: WantedCertificate,
): Promise<IssuedChain & { readonly certificateId: string }> {
  const { enrolments, issuance, reader, revocations, unitOfWork } = deps;
  const { held, answered } = await unitOfWork.run(async (tx) => {
    const held = await hold(deps, tx, intent, enrolmentId);
    return { held, answered: (await standingFor(deps, tx, enrolmentId, wanted)).answered };
  });
  const { enrolment } = held;
  const profile = await enrolments.profile(enrolment.profileName);
  const rule = profile?.containers.find((one) => one.container === wanted.container);
  if (profile === null || rule === undefined) {
    const detail = 'The card profile has no such container.';
    const fields = [{ pointer: '/container', detail }];
    throw new DomainError('unprocessable', 'container-unknown', detail, { fields });
  }
  await reader.judgeRequest(wanted.csr, rule.keyType);
  const certificateProfile = await deps.certificateProfiles.find(rule.certificateProfile);
  const policy = certificateProfile?.attestation ?? profile.attestation;

  const { cardId, deviceId } = enrolment;
  const subject: Subject = { cardId, deviceId, publicKeyInfo: reader.publicKeyOf(wanted.csr) };
  const judgement = await deps.attestation.judge(policy, subject, wanted.evidence);

  // Whose request was answered before asks for the answer alone: a signature is not wanted twice for it.
  const proven = answered ? null : await judgeProof(deps, intent, held, profile, wanted);
  const attested = judgement.verdict.state === 'attested';

  const { certificateId, superseded } = await unitOfWork.run(async (tx) => {
    const proposed = await propose(deps, tx, intent, enrolmentId, wanted, { proven, attested });
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
  shown: Shown,
): Promise<{ certificateId: string; superseded: string[]; fresh: boolean }> {
  const held = await hold(deps, tx, intent, enrolmentId);
  const { all, standing, same, answered } = await standingFor(deps, tx, enrolmentId, wanted);
  if (same !== undefined && answered) return { certificateId: same.id, superseded: [], fresh: false };
  if (held.enrolment.state === 'completed') throw enrolmentCompleted();
  await demandWritten(deps, tx, intent, held);
  demandSupervised(held);
  if (same !== undefined) {
    await deps.issuance.proposeAgain(tx, intent, same, await vouch(deps, tx, held, shown));
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
  const assurance = await vouch(deps, tx, held, shown);
  const whole = { container, csr, personId, deviceId, cardId, enrolmentId, assurance };
  const certificateId = await deps.issuance.propose(tx, intent, whole);
  return { certificateId, superseded: superseded.map((one) => one.id), fresh: true };
}

/** What was shown for a request. */
interface Shown {
  readonly proven: Proven | null;
  readonly attested: boolean;
}

/** Keeps what an existing certificate vouched for, and says what all who vouched come to. */
async function vouch(
  deps: RequestCertificateDependencies,
  tx: Tx,
  { enrolment }: Held,
  { proven, attested }: Shown,
): Promise<Assurance> {
  const { method, initialPin, id: enrolmentId } = enrolment;
  if (proven !== null) {
    await stillInForce(deps, proven);
    const { id: certificateId, serialNumber } = proven.signer;
    await deps.vouchers.add(tx, {
      ...{ id: deps.runtime.newId(), enrolmentId, createdAt: deps.runtime.now() },
      ...{ kind: 'certificate', certificateId, evidence: `certificate ${serialNumber}` },
    });
  }
  const vouchers = await deps.vouchers.ofEnrolment(tx, enrolmentId);
  const verifications = vouchers.map((one) => one.method).filter((one) => one !== 'existing-certificate');
  return assuranceOf({ method, initialPin, attested, verifications, signer: proven?.signer.assurance ?? null });
}

/** What this enrolment asked for in that container, and whether this very request was answered. */
async function standingFor(
  deps: RequestCertificateDependencies,
  tx: Tx,
  enrolmentId: string,
  { container, csr }: Pick<WantedCertificate, 'container' | 'csr'>,
) {
  const all = await deps.certificates.ofEnrolment(tx, enrolmentId);
  const standing = await notGivenUp(deps, tx, all, container);
  const same = standing.find((one) => Buffer.from(one.csr).equals(csr));
  return { all, standing, same, answered: same !== undefined && same.status !== 'failed' };
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
