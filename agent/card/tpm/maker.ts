import { DomainError, type Secret } from '@cardwright/protocol';
import {
  ADMINISTRATOR_KEY_ATTRIBUTES,
  type Bytes,
  cardKeyPolicy,
  parsePublic,
  parsePublicArea,
  TPM_ALG,
} from '@cardwright/protocol/tpm';
import {
  createObject,
  describeTpm,
  importObject,
  StorageRoots,
  type Tpm,
  TpmRefusal,
  withLoaded,
} from '../../tpm/index.ts';
import type {
  Card,
  CardMaker,
  CardRecord,
  FirstWriteChallenge,
  HardwareFacts,
  KeyType,
  SlotState,
  WrappedAdministratorKey,
} from '../port.ts';
import { TpmCard } from './card.ts';
import { startFirstWrite } from './first-write.ts';
import { keyTemplate, publicKeyInfo, requireCardKey } from './key-template.ts';
import { CardPlace, freeNvIndex } from './place.ts';
import { decodeStored, encodeStored } from './stored.ts';

/** Cards in `tpm`, which the maker owns from here on and closes. */
export function tpmCardMaker(tpm: Tpm): CardMaker {
  return new TpmCardMaker(tpm);
}

class TpmCardMaker implements CardMaker {
  readonly #tpm: Tpm;
  readonly #roots: StorageRoots;

  constructor(tpm: Tpm) {
    this.#tpm = tpm;
    this.#roots = new StorageRoots(tpm);
  }

  describe(): Promise<HardwareFacts> {
    return describeTpm(this.#tpm);
  }

  async parent(): Promise<{ readonly public: Bytes; readonly name: Bytes }> {
    const root = await this.#roots.current();
    return { public: root.public, name: root.name };
  }

  async importAdministratorKey(wrapped: WrappedAdministratorKey): Promise<Bytes> {
    const area = parsePublic(wrapped.public, 'administrator-key-refused');
    // Any other attributes or policy, and root on the device could use the key to answer the card's challenges.
    const fits =
      area.kind === 'keyed-hash' &&
      area.nameAlg === TPM_ALG.SHA256 &&
      area.attributes === ADMINISTRATOR_KEY_ATTRIBUTES &&
      area.authPolicy.length === 0 &&
      area.scheme !== 'none' &&
      area.scheme.algorithm === TPM_ALG.HMAC &&
      Buffer.from(area.name).equals(wrapped.name);
    if (!fits) throw administratorKeyRefused('it is not an administrator key of a card');
    const root = await this.#roots.current();
    try {
      const stored = await importObject(this.#tpm, root, wrapped);
      // Loading shows that the TPM takes it, before the caller builds on it.
      await withLoaded(this.#tpm, root, stored, async () => undefined);
      return encodeStored(stored);
    } catch (error) {
      if (!(error instanceof TpmRefusal) || error.code !== 'tpm-refused') throw error;
      throw administratorKeyRefused('it was not wrapped for this device', error);
    }
  }

  chooseSlot(): Promise<number> {
    return freeNvIndex(this.#tpm);
  }

  async slotState(slot: number, administratorKeyName: Bytes): Promise<SlotState> {
    return this.#place(slot, administratorKeyName).state();
  }

  async prepare(slot: number, administratorKeyName: Bytes, pin: Secret): Promise<void> {
    await this.#place(slot, administratorKeyName).prepare(pin);
  }

  async firstWriteChallenge(card: CardRecord): Promise<FirstWriteChallenge> {
    return startFirstWrite(this.#tpm, this.#roots, this.#place(card.slot, card.administratorKeyName), card);
  }

  async makeKey(card: CardRecord, keyType: KeyType): Promise<Bytes> {
    const root = await this.#roots.named(card.parentName);
    const policy = cardKeyPolicy(this.#place(card.slot, card.administratorKeyName).index.writtenName);
    const made = await createObject(this.#tpm, root, keyTemplate(keyType, policy));
    requireCardKey(parsePublicArea(made.publicArea, 'tpm-response-malformed'), policy);
    return encodeStored(made);
  }

  keyPublic(key: Bytes): Bytes {
    return publicKeyInfo(decodeStored(key).parsed);
  }

  async discard(slot: number, administratorKeyName: Bytes): Promise<void> {
    await this.#place(slot, administratorKeyName).discard();
  }

  open(card: CardRecord): Card {
    return new TpmCard(this.#tpm, this.#roots, card);
  }

  async close(): Promise<void> {
    await this.#roots.release();
    await this.#tpm.close();
  }

  #place(slot: number, administratorKeyName: Bytes): CardPlace {
    return new CardPlace(this.#tpm, this.#roots, slot, administratorKeyName);
  }
}

function administratorKeyRefused(detail: string, cause?: unknown): DomainError {
  return new DomainError('unprocessable', 'administrator-key-refused', `the administrator key was refused: ${detail}`, {
    cause,
  });
}
