import type { Requester } from '../operations.ts';

export interface ProtectLockout extends Requester {
  /** UUID, lower case. */
  readonly deviceId: string;
  /** TPM2B_PUBLIC of the device's storage key. */
  readonly parentPublic: Uint8Array;
}

/** What a device needs to put its TPM's lockout under the vault's protection. */
export interface LockoutProtection {
  /** TPMT_PUBLIC of the key whose signature resets the lockout. */
  readonly authority: Uint8Array;
  /** The lockout's password as sealed data that only the TPM with the storage key gives out. */
  readonly public: Uint8Array;
  readonly duplicate: Uint8Array;
  readonly inSymSeed: Uint8Array;
  readonly name: Uint8Array;
}

export interface ResetLockout extends Requester {
  readonly deviceId: string;
  /** Name of the storage key that the device was protected under. */
  readonly parentName: Uint8Array;
  /** 16 bytes. */
  readonly nonce: Uint8Array;
}

export interface LockoutAnswer {
  /** r and s, 64 bytes. */
  readonly signature: Uint8Array;
}

export interface LockoutOperations {
  /**
   * The same for the same device and storage key each time. Not guaranteed: that the storage key is one of a TPM. But
   * another storage key has another password, so that nobody learns a device's by naming one of his own.
   * @throws `tpm-parent-not-allowed` (unprocessable).
   */
  protectLockout(params: ProtectLockout): Promise<LockoutProtection>;
  /** @throws `lockout-not-protected` (not-found). */
  resetLockout(params: ResetLockout): Promise<LockoutAnswer>;
}
