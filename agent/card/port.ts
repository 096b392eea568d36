import type { KeyType, Secret } from '@cardwright/protocol';
import type { DeviceAttestation } from '../attestation/port.ts';

/**
 * The card port: what the agent needs of the thing that holds cards on this device. No word of the technology behind it,
 * so that another one fits beside the first. Everything that outlives a call is given back as plain data (`CardRecord`,
 * key blobs), which the caller stores: the port keeps no files.
 *
 * Every method throws DomainError. Codes that any of them may give: `tpm-unreachable`, `tpm-timeout`,
 * `tpm-response-malformed`, `tpm-response-forged`, `tpm-busy`, `tpm-refused`, `card-of-another-device`.
 */
export type Bytes = Uint8Array;

export type { KeyType };
export type HashName = 'sha256' | 'sha384' | 'sha512';

/** What the device says of its own hardware; unproven until attestation. */
export interface HardwareFacts {
  readonly manufacturer: string;
  readonly firmware: string;
  readonly revision: string;
}

/** An administrator key on its way from the vault: readable only inside this device's hardware. */
export interface WrappedAdministratorKey {
  readonly public: Bytes;
  readonly duplicate: Bytes;
  readonly inSymSeed: Bytes;
  readonly name: Bytes;
}

/** What an administrator key signed to be done in its name. Not secret. */
export interface PolicyApproval {
  readonly approvedPolicy: Bytes;
  readonly signature: Bytes;
}

/** The vault's one approval that lets a person change the PIN knowing the old one. */
export type SelfChangeApproval = PolicyApproval;

/** An administrator key that came after another one, which approved it. Nothing of it is secret. */
export interface Succession {
  readonly name: Bytes;
  /** What `importAdministratorKey` gave. */
  readonly key: Bytes;
  /** Signed by the key before. */
  readonly approval: PolicyApproval;
}

/** All that must be stored to find a card again. Holds no secret; useless on another device. */
export interface CardRecord {
  /** Where on the device the card lives; the server calls it `nvIndex`. */
  readonly slot: number;
  /** Identifies the device's storage: a record that was copied to another device is recognised by it. */
  readonly parentName: Bytes;
  /** The founding key: the card's place is bound to its name, whatever keys come after it. */
  readonly administratorKeyName: Bytes;
  /** What `importAdministratorKey` gave. */
  readonly administratorKey: Bytes;
  /** The keys that came after it, oldest first. */
  readonly successions: readonly Succession[];
  readonly pinLimit: number;
}

/**
 * `absent`: nothing there. `foreign`: something there that is not this card (never touched by this port).
 * `defined`: this card, with its PIN set but never written: not yet usable. `written`: a finished card.
 */
export type SlotState = 'absent' | 'foreign' | 'defined' | 'written';

export interface FirstWriteChallenge {
  /** 16 bytes. Store it before it is sent: the server answers one nonce only, and repeats its answer for the same one. */
  readonly nonce: Bytes;
  /**
   * `answer`: the 32 bytes from the vault. After this the slot is `written`. A refused answer (`response-refused-by-card`)
   * changes nothing and may be tried again; `response-expired` and `challenge-over` want a new challenge.
   */
  finish(answer: Bytes): Promise<void>;
  /** Forgets the challenge: no answer to it will ever be accepted. Safe to repeat, and after `finish`. */
  abandon(): Promise<void>;
}

/**
 * A lock of the hardware as a whole, by wrong passwords for other things on it. Cards count their tries themselves, and where
 * the device is set up as it should be they work on; where not, `tpm-locked-out` says so (data.releasedWithinSeconds).
 */
export interface HardwareLock {
  readonly locked: boolean;
  /** At most; null where time alone does not help. 0 where it is not locked. */
  readonly releasedWithinSeconds: number | null;
}

/** Makes cards, one step a method. The caller journals between steps. */
export interface CardMaker {
  describe(): Promise<HardwareFacts>;
  lock(): Promise<HardwareLock>;
  /** The device's storage key, to which the vault wraps: `public` as the vault wants it, `name` for the `CardRecord`. */
  parent(): Promise<{ readonly public: Bytes; readonly name: Bytes }>;
  /** Leaves nothing behind in the hardware: safe to repeat. `administrator-key-refused` if it was not wrapped for us. */
  importAdministratorKey(wrapped: WrappedAdministratorKey): Promise<Bytes>;
  /**
   * What was sealed for this device's hardware alone: an administrator key on its way to a card that is not in the hardware.
   * Wipe it at once. Throws `sealed-key-refused`.
   */
  openSealed(wrapped: WrappedAdministratorKey): Promise<Secret>;
  /** Whether this hardware has such keys, before anything is made. Throws `key-type-not-supported` (conflict). */
  requireKeyTypes(keyTypes: readonly KeyType[]): Promise<void>;
  /** A free place. Not reserved: store it before `prepare`. */
  chooseSlot(): Promise<number>;
  slotState(slot: number, administratorKeyName: Bytes): Promise<SlotState>;
  /**
   * Puts the card's frame there with its PIN. A frame of the same card that was never written is replaced (so a forgotten
   * first PIN is no loss). Throws `slot-taken` (foreign) or `card-already-written`.
   */
  prepare(slot: number, administratorKeyName: Bytes, pin: Secret): Promise<void>;
  /** Needs a slot in state `defined`, else `card-not-prepared` or `card-already-written`. */
  firstWriteChallenge(card: CardRecord): Promise<FirstWriteChallenge>;
  /**
   * Makes a key that only this card's PIN can use. Gives the blob to store; nothing stays in the hardware. Throws
   * `key-type-not-supported` (conflict) for what this hardware has not.
   */
  makeKey(card: CardRecord, keyType: KeyType): Promise<Bytes>;
  /** SubjectPublicKeyInfo, DER (RFC 5280 4.1.2.7). Throws `key-blob-malformed`. */
  keyPublic(key: Bytes): Bytes;
  /**
   * Tries, without a PIN and without harm, whether this card obeys `successor`: imported here, approved by the key before.
   * `rehearsal` is signed by the successor. Nothing is left behind: safe to repeat. Throws `successor-refused-by-card`,
   * `too-many-successions`, `card-missing`, `card-altered`, `key-blob-refused`.
   */
  rehearse(card: CardRecord, successor: Succession, rehearsal: PolicyApproval): Promise<void>;
  /** Removes the card (its keys can never be used again). Absent is fine; `slot-taken` if something else is there. */
  discard(slot: number, administratorKeyName: Bytes): Promise<void>;
  /** A finished card. Touches no hardware yet. */
  open(card: CardRecord): Card;
  /** What the hardware that holds the cards can prove of itself and of them. */
  attestation(): DeviceAttestation;
  /** Gives the hardware back. Abandons what is pending. */
  close(): Promise<void>;
}

export interface Tries {
  readonly left: number;
  readonly limit: number;
}

export interface SignRequest {
  /** The blob from `makeKey`. */
  readonly key: Bytes;
  readonly hash: HashName;
  /** Of `hash`'s length. */
  readonly digest: Bytes;
  /** RSA only; `pkcs1` if not said. */
  readonly padding?: 'pkcs1' | 'pss';
  readonly pin: Secret;
}

export interface PinResetAnswers {
  /** 32 bytes each, from the vault. */
  readonly resetAnswer: Bytes;
  readonly writeAnswer: Bytes;
}

export interface PinResetChallenge {
  /** 16 bytes each. They live in this process: when it ends, so does the challenge. */
  readonly resetNonce: Bytes;
  readonly writeNonce: Bytes;
  /**
   * Sets the new PIN and unblocks. Both answers are checked before anything changes: `response-refused-by-card` (forged,
   * of another card, of another challenge) may be followed by another attempt; `response-expired` and `challenge-over`
   * may not. An answer of any of the card's administrator keys is taken. `successions`: of the card as it is now, if it
   * may have got another key since the challenge was made.
   */
  finish(answers: PinResetAnswers, newPin: Secret, successions?: readonly Succession[]): Promise<void>;
  abandon(): Promise<void>;
}

export interface Card {
  readonly record: CardRecord;
  /** Needs no PIN. Throws `card-missing` or `card-altered`. */
  tries(): Promise<Tries>;
  /**
   * ECDSA: DER SEQUENCE of r and s; RSA: the block. Throws `pin-wrong` (data.triesLeft), `card-blocked`, `card-missing`,
   * `card-altered`, `key-of-another-card`.
   */
  sign(request: SignRequest): Promise<Bytes>;
  /** One step in the hardware: either the old PIN holds or the new one. Throws as `sign` does. */
  changePin(oldPin: Secret, newPin: Secret, approval: SelfChangeApproval): Promise<void>;
  challenge(): Promise<PinResetChallenge>;
  /** As `discard`: afterwards no PIN uses the card's keys. */
  destroy(): Promise<void>;
}
