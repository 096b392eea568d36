import { DomainError, isDomainError } from '@cardwright/protocol';
import { cardUnknown } from '../cards/index.ts';
import type { Intent } from '../kernel/actor.ts';
import type { AuditTrail } from '../kernel/audit-entry.ts';
import type { Runtime } from '../kernel/runtime.ts';
import type { Tx, UnitOfWork } from '../kernel/unit-of-work.ts';
import type { PukCard, PukCards, Puks } from './ports.ts';

export interface DisclosePukPorts {
  readonly pukCards: PukCards;
  readonly puks: Puks;
  readonly unitOfWork: UnitOfWork;
  readonly audit: AuditTrail;
  readonly runtime: Runtime;
}

/**
 * The PUK of a card, once. The intent is recorded, the vault shows it (and marks it, so that it never does again), and the
 * outcome is recorded before the answer. Cut off in between, the next request finds it shown, and says so here as well.
 * @throws DomainError `not-found`; `card-has-no-puk`, `puk-already-shown` (conflict); those of the vault.
 */
export async function disclosePuk(ports: DisclosePukPorts, intent: Intent, cardId: string): Promise<string> {
  const { pukCards, puks, unitOfWork, audit, runtime } = ports;
  const record = (tx: Tx, action: string, card: PukCard) =>
    audit.record(tx, intent, {
      action,
      object: { kind: 'card', id: card.id },
      about: { cardId: card.id, personId: card.personId, deviceId: card.deviceId },
    });
  const card = await unitOfWork.run(async (tx) => {
    const found = await pukCards.lock(tx, cardId);
    if (found === null) throw cardUnknown();
    if (!found.hasPuk) throw new DomainError('conflict', 'card-has-no-puk', 'This card has no PUK.');
    if (found.pukShownAt === null) await record(tx, 'puk.requested', found);
    return found;
  });
  if (card.pukShownAt !== null) throw shownAlready();
  const puk = await puks.show(cardId, intent).catch(async (error: unknown) => {
    // The vault showed it to a request whose answer was lost: here it was not marked yet.
    if (isDomainError(error) && error.code === 'puk-already-shown') await mark('puk.found-shown');
    throw error;
  });
  await mark('puk.disclosed');
  return puk;

  function mark(action: string): Promise<void> {
    return unitOfWork.run(async (tx) => {
      await pukCards.setShown(tx, cardId, runtime.now());
      await record(tx, action, card);
    });
  }
}

function shownAlready(): DomainError {
  const detail = 'The PUK was shown already, and is shown once. Give the card another PUK.';
  return new DomainError('conflict', 'puk-already-shown', detail);
}
