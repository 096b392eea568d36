import { DomainError } from '@cardwright/protocol';
import type { Intent } from '../kernel/actor.ts';
import type { AuditTrail } from '../kernel/audit-entry.ts';
import type { Runtime } from '../kernel/runtime.ts';
import type { UnitOfWork } from '../kernel/unit-of-work.ts';
import type { CardOwners, CardRecords, KeyImport, NewCard, RegisterCardInput } from './ports.ts';

export interface RegisterCardPorts {
  readonly cards: Pick<CardRecords, 'insert' | 'demandFree'>;
  readonly owners: CardOwners;
  readonly keys: KeyImport;
  readonly unitOfWork: UnitOfWork;
  readonly audit: AuditTrail;
  readonly runtime: Runtime;
}

/**
 * Takes an existing card with its known administrator key under management. The intent is recorded, then the vault
 * takes the key (outside of any transaction), then the card is there. Cut off in between, nothing stands in the way of
 * trying again: the vault holds a key of a card id that the audit log names and that no card has.
 *
 * @throws DomainError `field-invalid` (unprocessable) for an unknown person or device; `card-serial-taken`,
 *   `card-already-active` (conflict); the vault's own `administrator-key-*`.
 */
export function createRegisterCard(ports: RegisterCardPorts) {
  const { cards, keys, unitOfWork, audit, runtime } = ports;

  return async function registerCard(input: RegisterCardInput, intent: Intent): Promise<string> {
    await demandOwners(input);
    const card = toCard(runtime.newId(), input, runtime.now());
    const about = { personId: card.personId, deviceId: card.deviceId, cardId: card.id };
    const object = { kind: 'card', id: card.id };
    const after = { serial: card.serial, algorithm: card.algorithm, challengeMode: card.challengeMode };
    await unitOfWork.run(async (tx) => {
      await cards.demandFree(tx, card);
      await audit.record(tx, intent, { action: 'card.registration-begun', object, about, after });
    });
    const { keyVersion } = await keys.importKeyFor(
      { cardId: card.id, cardSerial: card.serial, algorithm: input.algorithm, jwe: input.administratorKey },
      intent,
    );
    await unitOfWork.run(async (tx) => {
      await cards.insert(tx, { ...card, keyVersion });
      await audit.record(tx, intent, {
        action: 'card.registered',
        object,
        about,
        after: { ...after, state: card.state, keyVersion },
      });
    });
    return card.id;
  };

  async function demandOwners(input: RegisterCardInput): Promise<void> {
    if (!(await ports.owners.personExists(input.personId))) throw unknown('/personId', 'There is no such person.');
    if (input.deviceId !== undefined && !(await ports.owners.deviceExists(input.deviceId))) {
      throw unknown('/deviceId', 'There is no such device.');
    }
  }
}

const toCard = (id: string, input: RegisterCardInput, now: Date): NewCard => ({
  id,
  serial: input.serial,
  personId: input.personId,
  deviceId: input.deviceId ?? null,
  profileName: null,
  kind: 'minidriver',
  algorithm: input.algorithm,
  challengeMode: input.challengeMode ?? 'ecb',
  keyStrategy: 'random-stored',
  keyVersion: null,
  state: 'active',
  nvIndex: null,
  pinLimit: null,
  triesLeft: null,
  createdAt: now,
});

const unknown = (pointer: string, detail: string): DomainError =>
  new DomainError('unprocessable', 'field-invalid', detail, { fields: [{ pointer, detail }] });
