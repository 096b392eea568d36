import { DomainError } from '@cardwright/protocol';
import { type Card, cardUnknown } from '../cards/index.ts';
import type { Certificate } from '../certificates/index.ts';
import type { Tx } from '../kernel/unit-of-work.ts';
import type { RenewalPolicy } from './policy.ts';
import type { DeviceIntent, RenewalPorts, RenewalProfile } from './ports.ts';

export type Standing = Exclude<Certificate, { status: 'failed' | 'on-hold' | 'revoked' }>;
export type Active = Extract<Certificate, { status: 'active' }>;

/** The card, held. @throws DomainError `not-found`: another device's is not there for this one; `card-not-active` (conflict). */
export async function holdCard(ports: RenewalPorts, tx: Tx, intent: DeviceIntent, cardId: string): Promise<Card> {
  const card = await ports.cards.lock(tx, cardId);
  if (card === null || card.deviceId !== intent.actor.id) throw cardUnknown();
  if (card.state !== 'active' && card.state !== 'blocked') {
    throw new DomainError(
      'conflict',
      'card-not-active',
      `The card is ${card.state}: its certificates are not renewed.`,
    );
  }
  return card;
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

/** @throws DomainError `container-unknown` (unprocessable). */
export async function policyOf(
  ports: RenewalPorts,
  card: Card,
  container: string,
): Promise<RenewalPolicy & Pick<RenewalProfile, 'attestation'>> {
  const profile = card.profileName === null ? null : await ports.enrolments.profile(card.profileName);
  const policy = profile?.containers.find((one) => one.container === container);
  if (profile !== null && policy !== undefined) return { ...policy, attestation: profile.attestation };
  const detail = 'The card profile has no such container.';
  throw new DomainError('unprocessable', 'container-unknown', detail, {
    fields: [{ pointer: '/container', detail }],
  });
}

export function notRenewable(): DomainError {
  return new DomainError(
    'conflict',
    'certificate-not-renewable',
    'This is not a certificate of the card that is in use in this container: it may be renewed, revoked or expired.',
  );
}
