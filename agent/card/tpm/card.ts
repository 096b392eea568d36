import { DomainError, type Secret } from '@cardwright/protocol';
import { type Bytes, cardKeyPolicy } from '@cardwright/protocol/tpm';
import { isRefusal, PolicySession, RC, type StorageRoots, sign, type Tpm, withLoaded } from '../../tpm/index.ts';
import type { Card, CardRecord, PinResetChallenge, SelfChangeApproval, SignRequest, Tries } from '../port.ts';
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
  readonly #tpm: Tpm;
  readonly #roots: StorageRoots;
  readonly #place: CardPlace;

  constructor(tpm: Tpm, roots: StorageRoots, record: CardRecord) {
    this.record = record;
    this.#tpm = tpm;
    this.#roots = roots;
    this.#place = new CardPlace(tpm, roots, record.slot, record.administratorKeyName);
  }

  tries(): Promise<Tries> {
    return this.#place.tries();
  }

  async sign(request: SignRequest): Promise<Bytes> {
    const key = decodeStored(request.key);
    requireCardKey(key.parsed, cardKeyPolicy(this.#place.index.writtenName));
    const scheme = schemeFor(key.parsed.kind, request);
    const root = await this.#roots.named(this.record.parentName);
    const secure = await this.#roots.session(root);
    return PolicySession.during(this.#tpm, async (session) => {
      await provePin(this.#place, secure, session, request.pin);
      try {
        return await withLoaded(this.#tpm, root, key, async (loaded) =>
          readSignature(await sign(this.#tpm, loaded, session.spending(), request.digest, scheme), scheme),
        );
      } catch (error) {
        if (!isRefusal(error, RC.INTEGRITY)) throw error;
        const detail = "the stored key is damaged, or was made by another device's TPM";
        throw new DomainError('conflict', 'key-blob-refused', detail, { cause: error });
      }
    });
  }

  changePin(oldPin: Secret, newPin: Secret, approval: SelfChangeApproval): Promise<void> {
    return changePin(this.#tpm, this.#roots, this.#place, this.record, { old: oldPin, new: newPin }, approval);
  }

  challenge(): Promise<PinResetChallenge> {
    return startPinReset(this.#tpm, this.#roots, this.#place, this.record);
  }

  destroy(): Promise<void> {
    return this.#place.discard();
  }
}
