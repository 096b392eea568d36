import type { Secret } from '@cardwright/protocol';
import { type Bytes, cardKeyPolicy, parsePublicArea } from '@cardwright/protocol/tpm';
import { tpmAttestation } from '../../attestation/device-attestation.ts';
import type { DeviceAttestation } from '../../attestation/port.ts';
import { createObject, describeTpm, longestLockSeconds, readLockout, type Tpm } from '../../tpm/index.ts';
import type {
  Card,
  CardMaker,
  CardRecord,
  FirstWriteChallenge,
  HardwareFacts,
  HardwareLock,
  KeyType,
  PolicyApproval,
  SlotState,
  Succession,
  WrappedAdministratorKey,
} from '../port.ts';
import { importAdministratorKey } from './administrator-key.ts';
import { TpmCard } from './card.ts';
import { startFirstWrite } from './first-write.ts';
import { Hardware } from './hardware.ts';
import { requireKeyType } from './key-support.ts';
import { keyTemplate, publicKeyInfo, requireCardKey } from './key-template.ts';
import { CardPlace, freeNvIndex } from './place.ts';
import { openSealed } from './sealed.ts';
import { decodeStored, encodeStored } from './stored.ts';
import { rehearse } from './succession.ts';

/** Cards in `tpm`, which the maker owns from here on and closes. */
export function tpmCardMaker(tpm: Tpm): CardMaker {
  return new TpmCardMaker(tpm);
}

class TpmCardMaker implements CardMaker {
  readonly #hardware: Hardware;
  readonly #attestation: DeviceAttestation;

  constructor(tpm: Tpm) {
    this.#hardware = new Hardware(tpm);
    this.#attestation = tpmAttestation(this.#hardware);
  }

  describe(): Promise<HardwareFacts> {
    return this.#hardware.turn(() => describeTpm(this.#hardware.tpm));
  }

  lock(): Promise<HardwareLock> {
    return this.#hardware.turn(async () => {
      const lockout = await readLockout(this.#hardware.tpm);
      return { locked: lockout.locked, releasedWithinSeconds: longestLockSeconds(lockout) ?? null };
    });
  }

  parent(): Promise<{ readonly public: Bytes; readonly name: Bytes }> {
    return this.#hardware.turn(async () => {
      const root = await this.#hardware.roots.current();
      return { public: root.public, name: root.name };
    });
  }

  importAdministratorKey(wrapped: WrappedAdministratorKey): Promise<Bytes> {
    return this.#hardware.turn(() => importAdministratorKey(this.#hardware, wrapped));
  }

  openSealed(wrapped: WrappedAdministratorKey): Promise<Secret> {
    return this.#hardware.turn(() => openSealed(this.#hardware, wrapped));
  }

  requireKeyTypes(keyTypes: readonly KeyType[]): Promise<void> {
    return this.#hardware.turn(async () => {
      for (const keyType of new Set(keyTypes)) await requireKeyType(this.#hardware.tpm, keyType);
    });
  }

  chooseSlot(): Promise<number> {
    return this.#hardware.turn(() => freeNvIndex(this.#hardware.tpm));
  }

  slotState(slot: number, administratorKeyName: Bytes): Promise<SlotState> {
    return this.#hardware.turn(() => this.#place(slot, administratorKeyName).state());
  }

  prepare(slot: number, administratorKeyName: Bytes, pin: Secret): Promise<void> {
    return this.#hardware.turn(() => this.#place(slot, administratorKeyName).prepare(pin));
  }

  firstWriteChallenge(card: CardRecord): Promise<FirstWriteChallenge> {
    return this.#hardware.turn(() =>
      startFirstWrite(this.#hardware, this.#place(card.slot, card.administratorKeyName), card),
    );
  }

  makeKey(card: CardRecord, keyType: KeyType): Promise<Bytes> {
    return this.#hardware.turn(async () => {
      const root = await this.#hardware.roots.named(card.parentName);
      const policy = cardKeyPolicy(this.#place(card.slot, card.administratorKeyName).index.writtenName);
      await requireKeyType(this.#hardware.tpm, keyType);
      const made = await createObject(this.#hardware.tpm, root, keyTemplate(keyType, policy));
      requireCardKey(parsePublicArea(made.publicArea, 'tpm-response-malformed'), policy);
      return encodeStored(made, made.creation);
    });
  }

  keyPublic(key: Bytes): Bytes {
    return publicKeyInfo(decodeStored(key).parsed);
  }

  rehearse(card: CardRecord, successor: Succession, rehearsal: PolicyApproval): Promise<void> {
    const place = this.#place(card.slot, card.administratorKeyName);
    return this.#hardware.turn(() => rehearse(this.#hardware, place, card, successor, rehearsal));
  }

  discard(slot: number, administratorKeyName: Bytes): Promise<void> {
    return this.#hardware.turn(() => this.#place(slot, administratorKeyName).discard());
  }

  open(card: CardRecord): Card {
    return new TpmCard(this.#hardware, card);
  }

  attestation(): DeviceAttestation {
    return this.#attestation;
  }

  close(): Promise<void> {
    return this.#hardware.close();
  }

  #place(slot: number, administratorKeyName: Bytes): CardPlace {
    return new CardPlace(this.#hardware, slot, administratorKeyName);
  }
}
