import { DomainError } from '@cardwright/protocol';
import { type Card, cardUnknown } from '../cards/index.ts';
import { effectiveRule } from '../certificate-profiles/index.ts';
import type { Certificate } from '../certificates/index.ts';
import type { Tx } from '../kernel/unit-of-work.ts';
import type { RenewalFacts, RenewalPolicy } from './policy.ts';
import type { DeviceIntent, RenewalPorts, RenewalProfile } from './ports.ts';

export type Standing = Exclude<Certificate, { status: 'failed' | 'on-hold' | 'revoked' }>;
export type Active = Extract<Certificate, { status: 'active' }>;

/** The card, held. @throws DomainError `not-found`: another device's is not there for this one; `card-not-active` (conflict). */
export async function holdCard(ports: RenewalPorts, tx: Tx, intent: DeviceIntent, cardId: string): Promise<Card> {
  const card = await ports.cards.lock(tx, cardId);
  if (card === null || card.deviceId !== intent.actor.id) throw cardUnknown();
  assertInUse(card);
  return card;
}

function assertInUse({ state }: Pick<Card, 'state'>): void {
  if (state === 'active' || state === 'blocked') return;
  throw new DomainError('conflict', 'card-not-active', `The card is ${state}: its certificates are not renewed.`);
}

/** @returns the device that can renew its certificates. @throws DomainError `card-not-active`, `card-not-on-device` (conflict). */
export function assertRenewable({ state, kind, deviceId }: Pick<Card, 'state' | 'kind' | 'deviceId'>): string {
  assertInUse({ state });
  if (kind === 'tpm' && deviceId !== null) return deviceId;
  const detail = 'Only the certificates of a card in the TPM of a device are renewed by its agent.';
  throw new DomainError('conflict', 'card-not-on-device', detail);
}

/** Proposed or active, and not to be revoked; oldest first, held. */
export async function standingOf(ports: RenewalPorts, tx: Tx, cardId: string): Promise<Standing[]> {
  const standing: Standing[] = [];
  for (const certificate of await ports.certificates.lockLiveOfCard(tx, cardId)) {
    if (certificate.status !== 'active' && certificate.status !== 'proposed') continue;
    if ((await ports.revocationRecords.findIn(tx, certificate.id)) === null) standing.push(certificate);
  }
  return standing.sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime() || a.id.localeCompare(b.id));
}

export type EffectivePolicy = RenewalPolicy & Pick<RenewalProfile, 'attestation'>;

/** What the card's profile and the newest version of the certificate's say. @throws DomainError `container-unknown` (unprocessable). */
export async function policyOf(
  ports: Pick<RenewalPorts, 'enrolments' | 'certificateProfiles'>,
  card: Pick<Card, 'profileName'>,
  container: string,
): Promise<EffectivePolicy> {
  const profile = card.profileName === null ? null : await ports.enrolments.profile(card.profileName);
  const own = profile?.containers.find((one) => one.container === container);
  const certificateProfile = own === undefined ? null : await ports.certificateProfiles.find(own.certificateProfile);
  if (profile != null && own !== undefined && certificateProfile !== null) {
    const { attestation, ...rule } = effectiveRule(own, certificateProfile);
    return { ...rule, keyType: own.keyType, attestation: attestation ?? profile.attestation };
  }
  const detail = 'The card profile has no such container.';
  throw new DomainError('unprocessable', 'container-unknown', detail, {
    fields: [{ pointer: '/container', detail }],
  });
}

/** @throws Error: every certificate has them. */
export async function factsOf(ports: Pick<RenewalPorts, 'renewals'>, certificateId: string): Promise<RenewalFacts> {
  const facts = (await ports.renewals.factsOf([certificateId])).get(certificateId);
  if (facts === undefined) throw new Error(`certificate ${certificateId} is not there`);
  return facts;
}

export function notRenewable(): DomainError {
  return new DomainError(
    'conflict',
    'certificate-not-renewable',
    'This is not a certificate of the card that is in use in this container: it may be renewed, revoked or expired.',
  );
}
