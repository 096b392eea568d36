import type { WrappedAdministratorKey } from '../card/port.ts';

export interface LockoutRules {
  readonly maxTries: number;
  readonly forgivenAfterSeconds: number;
  readonly passwordPauseSeconds: number;
}

/** What the server gives for the protection of the hardware's lockout. */
export interface LockoutProtection {
  /** Public key, as the hardware loads it. */
  readonly authority: Uint8Array;
  /** Sealed: only this device's hardware opens it. */
  readonly password: WrappedAdministratorKey;
  readonly rules: LockoutRules;
}

export interface LockoutChallenge {
  /** 16 bytes. Lives as long as this process. */
  readonly nonce: Uint8Array;
  /** Throws `response-refused-by-tpm` (unprocessable), `response-expired` (conflict). */
  finish(signature: Uint8Array): Promise<void>;
  abandon(): Promise<void>;
}

/** The lock of this device's hardware as a whole, against guessing. */
export interface LockoutPort {
  /** The device's storage key, to which the vault seals. */
  parent(): Promise<{ readonly public: Uint8Array }>;
  /**
   * Idempotent: `done` where this protection is there already, with whatever rules it was made. Throws
   * `lockout-password-set` (conflict): by somebody else; nothing was changed.
   */
  protect(protection: LockoutProtection): Promise<'made' | 'done'>;
  challenge(authority: Uint8Array): Promise<LockoutChallenge>;
}
