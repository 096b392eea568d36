import { DomainError, type Secret } from '@cardwright/protocol';
import {
  type Bytes,
  CARD_NV_FIRST,
  CARD_NV_LAST,
  cardPolicies,
  PIN_COUNTER_BYTES,
  type PinIndex,
  pinIndex,
  TPM_CC,
} from '@cardwright/protocol/tpm';
import {
  defineSpace,
  type Entity,
  handlesInUse,
  isRefusal,
  ownerRefusal,
  PolicySession,
  RC,
  readNv,
  readNvPublic,
  type Tpm,
  undefineSpace,
} from '../../tpm/index.ts';
import type { SlotState, Tries } from '../port.ts';
import type { Hardware } from './hardware.ts';
import { withPinValue } from './pin-value.ts';

const NONE = new Uint8Array();

/** A card's index: where it is, what it must look like, and what stands there. */
export class CardPlace {
  readonly index: PinIndex;
  readonly #hardware: Hardware;
  readonly #nvIndex: number;
  readonly #administratorKeyName: Bytes;

  constructor(hardware: Hardware, nvIndex: number, administratorKeyName: Bytes) {
    this.#hardware = hardware;
    this.#nvIndex = nvIndex;
    this.#administratorKeyName = administratorKeyName;
    this.index = pinIndex({ nvIndex, administratorKeyName });
  }

  get defined(): Entity {
    return { handle: this.#nvIndex, name: this.index.definedName };
  }

  get written(): Entity {
    return { handle: this.#nvIndex, name: this.index.writtenName };
  }

  async state(): Promise<SlotState> {
    const found = await readNvPublic(this.#hardware.tpm, this.#nvIndex);
    if (found === undefined) return 'absent';
    const name = Buffer.from(found.name);
    if (name.equals(this.index.definedName)) return 'defined';
    return name.equals(this.index.writtenName) ? 'written' : 'foreign';
  }

  async prepare(pin: Secret): Promise<void> {
    switch (await this.state()) {
      case 'foreign':
        throw slotTaken();
      case 'written':
        throw alreadyWritten();
      case 'defined':
        await this.#undefine(this.defined);
        break;
      case 'absent':
        break;
    }
    const session = await this.#hardware.roots.session(await this.#hardware.roots.current());
    try {
      await withPinValue(pin, (authValue) =>
        defineSpace(this.#hardware.tpm, session.proving(NONE, 'hide-first'), authValue, this.index.nvPublic),
      );
    } catch (error) {
      throw definitionRefusal(error);
    }
  }

  async discard(): Promise<void> {
    switch (await this.state()) {
      case 'absent':
        return;
      case 'foreign':
        throw slotTaken();
      case 'defined':
        return this.#undefine(this.defined);
      case 'written':
        return this.#undefine(this.written);
    }
  }

  /** The TPM's own count; branch B4, open to anyone. Throws `card-missing`, `card-altered`. */
  async tries(): Promise<Tries> {
    try {
      return await PolicySession.during(this.#hardware.tpm, async (session) => {
        await session.commandCode(TPM_CC.NV_Read);
        await this.openBranch(session);
        const counter = await readNv(this.#hardware.tpm, this.written, session.spending(), PIN_COUNTER_BYTES);
        const view = new DataView(counter.buffer, counter.byteOffset, counter.byteLength);
        const limit = view.getUint32(4);
        return { left: Math.max(0, limit - view.getUint32(0)), limit };
      });
    } catch (error) {
      throw (isRefusal(error) ? await this.unlessIn('written') : undefined) ?? error;
    }
  }

  /** After what a branch demands was done: PolicyOR to the index's own policy. */
  async openBranch(session: PolicySession): Promise<void> {
    await session.or(cardPolicies(this.#administratorKeyName).branches);
  }

  /** Undefined if the slot is in the state `expected`, else why the card can't be found there. */
  async unlessIn(expected: SlotState): Promise<DomainError | undefined> {
    const state = await this.state();
    if (state === expected) return undefined;
    if (state === 'absent') {
      return new DomainError('conflict', 'card-missing', 'The card is no longer on this device: it was removed.');
    }
    return new DomainError('conflict', 'card-altered', 'Something else stands where the card was: it was replaced.');
  }

  async #undefine(index: Entity): Promise<void> {
    const session = await this.#hardware.roots.session(await this.#hardware.roots.current());
    try {
      await undefineSpace(this.#hardware.tpm, session.proving(NONE, 'nothing-to-hide'), index);
    } catch (error) {
      throw ownerRefusal(error);
    }
  }
}

/** The first index of the owner's range that nothing stands at. Throws `tpm-storage-full`. */
export async function freeNvIndex(tpm: Tpm): Promise<number> {
  let free = CARD_NV_FIRST;
  for (const handle of await handlesInUse(tpm, CARD_NV_FIRST, CARD_NV_LAST)) {
    if (handle !== free) break;
    free++;
  }
  if (free > CARD_NV_LAST) throw storageFull();
  return free;
}

export function alreadyWritten(): DomainError {
  return new DomainError(
    'conflict',
    'card-already-written',
    'This card is finished: its PIN can only be changed or reset.',
  );
}

function slotTaken(): DomainError {
  return new DomainError('conflict', 'slot-taken', 'Something that is not this card stands there; it was left alone.');
}

function storageFull(cause?: unknown): DomainError {
  return new DomainError('conflict', 'tpm-storage-full', 'The TPM has no room for another card.', { cause });
}

function definitionRefusal(error: unknown): unknown {
  if (isRefusal(error, RC.NV_SPACE)) return storageFull(error);
  if (isRefusal(error, RC.NV_DEFINED)) return slotTaken();
  if (isRefusal(error, RC.ATTRIBUTES)) {
    const detail = 'This TPM has no PIN indexes: cards need a TPM 2.0 of library revision 1.38 or later.';
    return new DomainError('conflict', 'tpm-too-old', detail, { cause: error });
  }
  return ownerRefusal(error);
}
