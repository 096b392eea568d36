import { DomainError, type Secret } from '@cardwright/protocol';
import { type Bytes, cardKeyPolicy } from '@cardwright/protocol/tpm';
import { isRefusal, PolicySession, RC, sign, withLoaded } from '../../tpm/index.ts';
import type { Card, CardRecord, PinResetChallenge, SelfChangeApproval, SignRequest, Tries } from '../port.ts';
import type { Hardware } from './hardware.ts';
import { requireCardKey } from './key-template.ts';
import { changePin } from './pin-change.ts';
import { provePin } from './pin-proof.ts';
import { startPinReset } from './pin-reset.ts';
import { CardPlace } from './place.ts';
import { readSignature, schemeFor } from './signature.ts';
import { decodeStored } from './stored.ts';

/** A finished card in a TPM. */
export class TpmCard implements Card {
  readonly record: CardRecord;
  readonly #hardware: Hardware;
  readonly #place: CardPlace;

  constructor(hardware: Hardware, record: CardRecord) {
    this.record = record;
    this.#hardware = hardware;
    this.#place = new CardPlace(hardware, record.slot, record.administratorKeyName);
  }

  tries(): Promise<Tries> {
    return this.#hardware.turn(() => this.#place.tries());
  }

  sign(request: SignRequest): Promise<Bytes> {
    return this.#hardware.turn(() => this.#sign(request));
  }

  changePin(oldPin: Secret, newPin: Secret, approval: SelfChangeApproval): Promise<void> {
    const pins = { old: oldPin, new: newPin };
    return this.#hardware.turn(() => changePin(this.#hardware, this.#place, this.record, pins, approval));
  }

  challenge(): Promise<PinResetChallenge> {
    return this.#hardware.turn(() => startPinReset(this.#hardware, this.#place, this.record));
  }

  destroy(): Promise<void> {
    return this.#hardware.turn(() => this.#place.discard());
  }

  async #sign(request: SignRequest): Promise<Bytes> {
    const { tpm, roots } = this.#hardware;
    const key = decodeStored(request.key);
    const area = requireCardKey(key.parsed, cardKeyPolicy(this.#place.index.writtenName));
    const scheme = schemeFor(area.kind, request);
    const root = await roots.named(this.record.parentName);
    const secure = await roots.session(root);
    return PolicySession.during(tpm, async (session) => {
      await provePin(this.#place, secure, session, request.pin);
      try {
        return await withLoaded(tpm, root, key, async (loaded) =>
          readSignature(await sign(tpm, loaded, session.spending(), request.digest, scheme), scheme),
        );
      } catch (error) {
        if (!isRefusal(error, RC.INTEGRITY)) throw error;
        const detail = "The stored key is damaged, or was made by another device's TPM.";
        throw new DomainError('conflict', 'key-blob-refused', detail, { cause: error });
      }
    });
  }
}
