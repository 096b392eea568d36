import { DomainError } from '@cardwright/protocol';
import type { Subject } from '../attestation/index.ts';
import type { Card } from '../cards/index.ts';
import { type Assurance, assuranceOfRenewal, type IssuedChain } from '../certificates/index.ts';
import type { Tx } from '../kernel/unit-of-work.ts';
import { renewPlainly } from './plain-renewal.ts';
import { DAY_MS, demandDue, demandKey, MAX_A_DAY, renewableFrom } from './policy.ts';
import type { DeviceIntent, RenewalPorts, WantedRenewal } from './ports.ts';
import { type Active, factsOf, holdCard, notRenewable, policyOf, type Standing, standingOf } from './renewable.ts';
import { signedByOld } from './signed-by-old.ts';

/**
 * The next certificate of a container. The one before stays in force until the device says that it has stored this one
 * (`confirmRenewal`). The same question gives the same certificate; another request supersedes one that was never confirmed.
 * @throws DomainError `not-found`; `card-not-active`, `certificate-not-renewable`, `renewal-too-early` (conflict);
 *   `certificate-limit-reached` (too-many);
 *   `container-unknown`, `renewal-needs-new-key`, `csr-*` (unprocessable); those of the CA and, where the
 *   profile demands attestation, of the evidence.
 */
export async function renewCertificate(
  ports: RenewalPorts,
  intent: DeviceIntent,
  cardId: string,
  wanted: WantedRenewal,
): Promise<IssuedChain & { readonly certificateId: string }> {
  const { attestation, issuance, reader, revocations, unitOfWork } = ports;
  const plain = wanted.proof === null ? await renewPlainly(ports, intent, cardId, wanted) : null;
  if (plain !== null) return plain;
  const { card, old } = await unitOfWork.run((tx) => find(ports, tx, intent, cardId, wanted));
  const policy = await policyOf(ports, card, wanted.container);
  const csr = wanted.csr ?? old.csr;
  await reader.judgeRequest(csr, policy.keyType);
  const publicKeyInfo = reader.publicKeyOf(csr);
  const isSame = Buffer.from(publicKeyInfo).equals(reader.publicKeyOf(old.csr));
  const facts = await factsOf(ports, old.id);
  demandKey(policy, isSame ? 'same' : 'new', facts, ports.runtime.now());
  const from = renewableFrom(old, policy, facts.requestedAt);
  const subject: Subject = { cardId, deviceId: intent.actor.id, publicKeyInfo };
  const judgement = await attestation.judge(policy.attestation, subject, wanted.evidence);
  const attested = judgement.verdict.state === 'attested';
  const isSigned = signedByOld(ports.signatures, card, old, { ...wanted, csr });
  const proof = { key: isSame ? 'same' : 'new', attested, signedByOld: isSigned } as const;
  const assurance = assuranceOfRenewal(old.assurance, proof);

  const { certificateId, given } = await unitOfWork.run(async (tx) => {
    const proposed = await propose(ports, tx, intent, from, cardId, { ...wanted, csr, assurance });
    if (proposed.fresh) await attestation.record(tx, intent, proposed.certificateId, subject, judgement);
    return proposed;
  });
  for (const id of given) {
    // Asked for and never stored by the device: issued or not, it has to end revoked.
    const certificate = await ports.certificates.find(id);
    if (certificate?.status === 'proposed') await issuance.settle(intent, id).catch(() => undefined);
  }
  await revocations.confirmAll(intent, given);
  const issued = await issuance.settle(intent, certificateId);
  // The card may have been retired meanwhile: then what has just come is revoked at once.
  await revocations.confirmAll(intent, [certificateId]);
  return { ...issued, certificateId };
}

function tooMany(): DomainError {
  const detail = `A container gets at most ${MAX_A_DAY} certificates a day.`;
  return new DomainError('too-many', 'certificate-limit-reached', detail, {
    data: { retryAfterSeconds: DAY_MS / 1000 },
  });
}

async function find(
  ports: RenewalPorts,
  tx: Tx,
  intent: DeviceIntent,
  cardId: string,
  { container, replaces }: Pick<WantedRenewal, 'container' | 'replaces'>,
): Promise<{ card: Card; old: Active; newer: Standing[] }> {
  const card = await holdCard(ports, tx, intent, cardId);
  const standing = (await standingOf(ports, tx, cardId)).filter((one) => one.container === container);
  const at = standing.findIndex(({ id }) => id === replaces);
  const old = standing[at];
  if (old?.status !== 'active' || old.notAfter <= ports.runtime.now()) throw notRenewable();
  return { card, old, newer: standing.slice(at + 1) };
}

async function propose(
  ports: RenewalPorts,
  tx: Tx,
  intent: DeviceIntent,
  from: Date,
  cardId: string,
  wanted: WantedRenewal & { readonly csr: Uint8Array; readonly assurance: Assurance },
): Promise<{ certificateId: string; given: string[]; fresh: boolean }> {
  const { old, newer } = await find(ports, tx, intent, cardId, wanted);
  const { container, csr, assurance } = wanted;
  const same = newer.find((one) => Buffer.from(one.csr).equals(csr));
  if (same !== undefined) return { certificateId: same.id, given: [], fresh: false };
  const now = ports.runtime.now();
  demandDue(from, now);
  const since = new Date(now.getTime() - DAY_MS);
  if ((await ports.certificates.countSince(tx, cardId, container, since)) >= MAX_A_DAY) throw tooMany();
  for (const unconfirmed of newer) {
    const comment = 'the device asked again with another request';
    await ports.revocations.propose(tx, intent, unconfirmed, { reason: 'superseded', comment });
  }
  await ports.renewals.raiseCardVersion(tx, cardId);
  const { personId, deviceId } = old;
  const about = { container, csr, personId, deviceId, cardId, enrolmentId: null, assurance };
  const certificateId = await ports.issuance.propose(tx, intent, about);
  return { certificateId, given: newer.map(({ id }) => id), fresh: true };
}
