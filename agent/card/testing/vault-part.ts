import { createHmac, randomBytes } from 'node:crypto';
import {
  ANSWER_EXPIRATION_SECONDS,
  administratorKeyPublic,
  type Bytes,
  CARD_REFS,
  nvWriteCpHash,
  parseStoragePublic,
  pinCounter,
  pinIndex,
  policySignedDigest,
  rehearsalApproval,
  selfChangeApproval,
  successionApproval,
  type WrappedKey,
  wrapAdministratorKey,
} from '@cardwright/protocol/tpm';
import type { PolicyApproval, SelfChangeApproval } from '../port.ts';

const NO_CP_HASH = new Uint8Array();

/** Plays the vault's part for one card, with a key made here. Without the vault's care: a test may ask it for anything. */
export class VaultPart {
  readonly #key: Bytes = new Uint8Array(randomBytes(32));
  readonly #seedValue: Bytes = new Uint8Array(randomBytes(32));
  readonly name: Bytes;

  constructor() {
    this.name = administratorKeyPublic({ key: this.#key, seedValue: this.#seedValue }).name;
  }

  wrapFor(parentPublic: Bytes): WrappedKey {
    return wrapAdministratorKey({
      key: this.#key,
      seedValue: this.#seedValue,
      parent: parseStoragePublic(parentPublic),
      random: (bytes) => new Uint8Array(randomBytes(bytes)),
    });
  }

  answerFirstWrite(nvIndex: number, nonceTpm: Bytes, pinLimit: number): Bytes {
    const { definedName } = pinIndex({ nvIndex, administratorKeyName: this.name });
    return this.answerWrite(definedName, nonceTpm, pinCounter(0, pinLimit));
  }

  answerReset(
    nvIndex: number,
    nonces: { readonly resetNonce: Bytes; readonly writeNonce: Bytes },
    pinLimit: number,
    foundingName: Bytes = this.name,
  ): { resetAnswer: Bytes; writeAnswer: Bytes } {
    const { writtenName } = pinIndex({ nvIndex, administratorKeyName: foundingName });
    return {
      resetAnswer: this.answer(nonces.resetNonce, NO_CP_HASH, CARD_REFS.reset),
      writeAnswer: this.answerWrite(writtenName, nonces.writeNonce, pinCounter(0, pinLimit)),
    };
  }

  approveSelfChange(nvIndex: number): SelfChangeApproval {
    const { writtenName } = pinIndex({ nvIndex, administratorKeyName: this.name });
    const { approvedPolicy, digest } = selfChangeApproval(writtenName);
    return { approvedPolicy, signature: this.mac(digest) };
  }

  approveSuccessor(successorName: Bytes): PolicyApproval {
    const { approvedPolicy, digest } = successionApproval(successorName);
    return { approvedPolicy, signature: this.mac(digest) };
  }

  approveRehearsal(): PolicyApproval {
    const { approvedPolicy, digest } = rehearsalApproval();
    return { approvedPolicy, signature: this.mac(digest) };
  }

  answerWrite(name: Bytes, nonceTpm: Bytes, data: Bytes): Bytes {
    return this.answer(nonceTpm, nvWriteCpHash({ name, data }), CARD_REFS.write);
  }

  answer(nonceTpm: Bytes, cpHash: Bytes, policyRef: Bytes, expirationSeconds = ANSWER_EXPIRATION_SECONDS): Bytes {
    return this.mac(policySignedDigest({ nonceTpm, cpHash, policyRef, expirationSeconds }));
  }

  mac(digest: Bytes): Bytes {
    return new Uint8Array(createHmac('sha256', this.#key).update(digest).digest());
  }
}
