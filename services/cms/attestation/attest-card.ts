import { type CardRecords, cardUnknown } from '../cards/index.ts';
import type { CertificateReader } from '../certificates/index.ts';
import type { Actor, Intent } from '../kernel/actor.ts';
import type { AttestationDesk, EvidenceDependencies, Judgement } from './evidence.ts';
import type { SubmittedEvidence } from './ports.ts';

type DeviceIntent = Intent & { readonly actor: Extract<Actor, { kind: 'device' }> };

export interface AttestCardDependencies extends EvidenceDependencies {
  readonly cards: CardRecords;
  readonly reader: CertificateReader;
  readonly desk: AttestationDesk;
}

export interface AttestedCertificate {
  readonly certificateId: string;
  readonly container: string;
  readonly state: 'attested' | 'refused';
  readonly code: string | null;
}

/**
 * Takes new evidence of a card that is in use, for each of its keys, and records how it is judged: nothing is refused by
 * it and no certificate is touched, the verdicts tell. Containers without an active certificate are left out.
 * @throws DomainError `not-found`: the card is not this device's.
 */
export async function attestCard(
  deps: AttestCardDependencies,
  intent: DeviceIntent,
  cardId: string,
  evidence: ReadonlyMap<string, SubmittedEvidence>,
): Promise<AttestedCertificate[]> {
  const { cards, reader, desk, unitOfWork } = deps;
  const deviceId = intent.actor.id;
  const active = await unitOfWork.run(async (tx) => {
    const card = await cards.lock(tx, cardId);
    if (card === null || card.deviceId !== deviceId) throw cardUnknown();
    return deps.evidence.activeOf(tx, cardId);
  });
  const outcomes: AttestedCertificate[] = [];
  for (const { id: certificateId, container, csr } of active) {
    const submitted = evidence.get(container);
    if (submitted === undefined) continue;
    const subject = { deviceId, cardId, publicKeyInfo: reader.publicKeyOf(csr) };
    const judgement: Judgement = await desk.judge('preferred', subject, submitted);
    await unitOfWork.run((tx) => desk.record(tx, intent, certificateId, subject, judgement));
    const { verdict } = judgement;
    if (verdict.state === 'unattested') continue;
    const code = verdict.state === 'refused' ? verdict.code : null;
    outcomes.push({ certificateId, container, state: verdict.state, code });
  }
  return outcomes;
}
