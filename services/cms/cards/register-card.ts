import { DomainError, isDomainError } from '@cardwright/protocol';
import type { Intent } from '../kernel/actor.ts';
import type { AuditTrail } from '../kernel/audit-entry.ts';
import type { Runtime } from '../kernel/runtime.ts';
import type { Tx, UnitOfWork } from '../kernel/unit-of-work.ts';
import type { Card } from './card.ts';
import type {
  BeginTakeOver,
  CardOwners,
  CardRecords,
  KeyImport,
  NewCard,
  ProfileViews,
  RegisterCardInput,
} from './ports.ts';
import { type KeyPlan, planKey } from './registration-plan.ts';
import { demandTransition } from './state.ts';

export interface RegisterCardPorts {
  readonly cards: Pick<CardRecords, 'insert' | 'lock' | 'lockBySerial' | 'setState' | 'remove'>;
  readonly owners: CardOwners;
  readonly profiles: Pick<ProfileViews, 'find'>;
  readonly keys: KeyImport;
  readonly beginTakeOver: BeginTakeOver;
  readonly unitOfWork: UnitOfWork;
  readonly audit: AuditTrail;
  readonly runtime: Runtime;
}

export interface Registration {
  /**
   * Takes an existing card with its known administrator key under management. Gives the card's id.
   * @throws DomainError `field-invalid` (unprocessable) for an unknown person or device; `card-serial-taken`,
   *   `card-already-active` (conflict); those of registration-plan.ts; the vault's own `administrator-key-*`.
   */
  register(input: RegisterCardInput, intent: Intent): Promise<string>;
  /** For the worker: what was cut off goes on if the vault has the key, and is undone if it has not. */
  settle(intent: Intent, cardId: string): Promise<void>;
}

/**
 * Two-phase: the card is there as `created` before the vault is asked (so that its serial, and its place as the one live
 * card of a person on a device, are taken), and `active` once the vault has the key. Cut off in between, the same
 * request completes it, or the worker settles it. A card that is to be taken over stays `created` until its device has
 * changed the key, which is asked for in the transaction that notes that the vault has the old one.
 */
export function createRegistration(ports: RegisterCardPorts): Registration {
  const { cards, keys, owners, profiles, unitOfWork, audit, runtime, beginTakeOver } = ports;

  async function begin(input: RegisterCardInput, plan: KeyPlan, intent: Intent): Promise<NewCard> {
    return unitOfWork.run(async (tx) => {
      const cutOff = await cards.lockBySerial(tx, input.serial);
      if (cutOff !== null && isSameRequest(cutOff, input, plan)) {
        // Every request that asks the vault for something says so before it does.
        await record(tx, intent, 'card.registration-resumed', cutOff);
        return cutOff;
      }
      const card = toCard(runtime.newId(), input, plan, runtime.now());
      await cards.insert(tx, card);
      await record(tx, intent, 'card.registration-begun', card);
      return card;
    });
  }

  /** Key and PUK in one act: what the vault refuses leaves neither behind. */
  async function give({ id: cardId, serial: cardSerial, ...card }: NewCard, plan: KeyPlan, intent: Intent) {
    const { algorithm, key } = plan;
    if (key.kind === 'none') {
      if (plan.puk !== null) await keys.importPukFor({ cardId, cardSerial, jwe: plan.puk }, intent);
      return null;
    }
    const puk = plan.puk === null ? {} : { puk: { cardSerial, jwe: plan.puk } };
    const { keyVersion } =
      key.kind === 'sealed'
        ? await keys.importKeyFor(
            { cardId, cardSerial, algorithm, jwe: key.jwe, takeOver: card.takeOverPending, ...puk },
            intent,
          )
        : await keys.adoptKeyFor({ cardId, algorithm, origin: key.origin, ...key.check, ...puk }, intent);
    return keyVersion;
  }

  async function finish(intent: Intent, card: NewCard, keyVersion: number | null): Promise<void> {
    await unitOfWork.run(async (tx) => {
      const now = await cards.lock(tx, card.id);
      // The same request, sent twice at once, was faster; or it was refused and removed the card that this one finishes.
      if (now?.state === 'active' || (now !== null && now.keyVersion !== null)) return;
      const active = demandTransition(now?.state ?? card.state, 'activate');
      const state = card.takeOverPending ? 'created' : active;
      if (now === null) await cards.insert(tx, { ...card, state, keyVersion });
      else await cards.setState(tx, card.id, state, runtime.now(), keyVersion === null ? {} : { keyVersion });
      const takeOver = card.takeOverPending ? { takeOver: true } : {};
      await record(tx, intent, 'card.registered', card, { state, keyVersion, ...takeOver });
      const taken = card.takeOverPending ? await cards.lock(tx, card.id) : null;
      if (taken !== null) await beginTakeOver(tx, intent, taken);
    });
  }

  /** Nothing of a refused registration stays in the way, unless the vault has taken a key for it after all. */
  async function undo(intent: Intent, card: NewCard): Promise<void> {
    if ((await keys.versionOf(card.id, intent)) !== null) return;
    await unitOfWork.run(async (tx) => {
      const now = await cards.lock(tx, card.id);
      if (now?.state !== 'created') return;
      await cards.remove(tx, card.id);
      await record(tx, intent, 'card.registration-undone', card);
    });
  }

  const record = (tx: Tx, intent: Intent, action: string, card: NewCard, more: Record<string, unknown> = {}) =>
    audit.record(tx, intent, {
      action,
      object: { kind: 'card', id: card.id },
      about: { personId: card.personId, deviceId: card.deviceId, cardId: card.id },
      after: {
        serial: card.serial,
        algorithm: card.algorithm,
        challengeMode: card.challengeMode,
        keyStrategy: card.keyStrategy,
        ...(card.namedKey === null ? {} : { namedKey: card.namedKey }),
        ...(card.hasPuk ? { puk: true } : {}),
        ...more,
      },
    });

  async function demandOwners(input: RegisterCardInput): Promise<void> {
    if (!(await owners.personExists(input.personId))) throw unknown('/personId', 'There is no such person.');
    if (input.deviceId !== undefined && !(await owners.deviceExists(input.deviceId))) {
      throw unknown('/deviceId', 'There is no such device.');
    }
    if (input.takeOver === true && input.deviceId === undefined) {
      throw unknown('/deviceId', 'The agent of a device takes a card over: say on which device the card is.');
    }
  }

  return {
    async register(input, intent) {
      await demandOwners(input);
      const profile = input.cardProfile === undefined ? undefined : await profiles.find(input.cardProfile);
      const plan = planKey(input, profile);
      const card = await begin(input, plan, intent);
      try {
        await finish(intent, card, await give(card, plan, intent));
      } catch (error) {
        // What the vault refused is over. When it was away, the worker finds out whether it took the key.
        if (isDomainError(error) && error.kind === 'unprocessable') await undo(intent, card);
        throw error;
      }
      return card.id;
    },

    async settle(intent, cardId) {
      const card = await unitOfWork.run((tx) => cards.lock(tx, cardId));
      if (card?.state !== 'created' || card.keyVersion !== null) return;
      const keyVersion = await keys.versionOf(cardId, intent);
      // With nothing for the vault to take, nothing can be missing there.
      const whole = card.keyStrategy === 'random-not-stored' && !card.hasPuk;
      if (keyVersion === null && !whole) await undo(intent, card);
      else await finish(intent, card, keyVersion);
    },
  };
}

const isSameRequest = (card: Card, input: RegisterCardInput, plan: KeyPlan): boolean =>
  card.kind === 'minidriver' &&
  card.state === 'created' &&
  card.keyVersion === null &&
  card.takeOverPending === (input.takeOver === true) &&
  card.personId === input.personId &&
  card.deviceId === (input.deviceId ?? null) &&
  card.algorithm === plan.algorithm &&
  card.challengeMode === plan.challengeMode &&
  card.profileName === (input.cardProfile ?? null) &&
  card.hasPuk === (plan.puk !== null);

const toCard = (id: string, input: RegisterCardInput, plan: KeyPlan, now: Date): NewCard => ({
  id,
  serial: input.serial,
  personId: input.personId,
  deviceId: input.deviceId ?? null,
  profileName: input.cardProfile ?? null,
  kind: 'minidriver',
  algorithm: plan.algorithm,
  challengeMode: plan.challengeMode,
  keyStrategy: plan.keyStrategy,
  keyVersion: null,
  takeOverPending: input.takeOver === true,
  namedKey: plan.namedKey,
  hasPuk: plan.puk !== null,
  pukShownAt: null,
  state: 'created',
  nvIndex: null,
  pinLimit: null,
  triesLeft: null,
  createdAt: now,
});

const unknown = (pointer: string, detail: string): DomainError =>
  new DomainError('unprocessable', 'field-invalid', detail, { fields: [{ pointer, detail }] });
