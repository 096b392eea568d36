import { DomainError } from '@cardwright/protocol';
import { spanText } from '../spans.ts';
import { readProperties } from './capability.ts';
import type { Tpm } from './tpm.ts';

/** TPM_PT of the variable properties, Part 2 section 6.14. */
const PROPERTY = {
  permanent: 0x200,
  lockoutCounter: 0x20e,
  maxAuthFail: 0x20f,
  lockoutInterval: 0x210,
  lockoutRecovery: 0x211,
} as const;
/** TPMA_PERMANENT, Part 2 section 8.6. */
const PERMANENT = { lockoutAuthSet: 1 << 2, inLockout: 1 << 9 } as const;

/**
 * The TPM's own protection against guessing. A card stands outside of it (its index and keys are noDA, and count for
 * themselves), but other things on the machine do not, and so does not whoever manages the TPM.
 */
export interface Lockout {
  readonly locked: boolean;
  /** Whether a password protects the lockout's settings and its reset. */
  readonly passwordSet: boolean;
  readonly wrongTries: number;
  readonly maxTries: number;
  /** After so many seconds one wrong try is forgiven; 0: only a restart or a reset does it. */
  readonly forgivenAfterSeconds: number;
  /** After one wrong lockout password, so many seconds must pass; 0: a restart. */
  readonly passwordPauseSeconds: number;
}

export async function readLockout(tpm: Tpm): Promise<Lockout> {
  const properties = await readProperties(tpm, PROPERTY.permanent, 32);
  const value = (property: number): number => properties.get(property) ?? 0;
  const permanent = value(PROPERTY.permanent);
  return {
    locked: (permanent & PERMANENT.inLockout) !== 0,
    passwordSet: (permanent & PERMANENT.lockoutAuthSet) !== 0,
    wrongTries: value(PROPERTY.lockoutCounter),
    maxTries: value(PROPERTY.maxAuthFail),
    forgivenAfterSeconds: value(PROPERTY.lockoutInterval),
    passwordPauseSeconds: value(PROPERTY.lockoutRecovery),
  };
}

/**
 * How long the TPM stays locked, at most: the wrong tries must fall below their limit, one an interval. The TPM does not
 * tell when it forgave the last one. Undefined where time alone does not help.
 */
export function longestLockSeconds(lockout: Lockout): number | undefined {
  if (!lockout.locked) return 0;
  if (lockout.forgivenAfterSeconds === 0) return undefined;
  return lockout.forgivenAfterSeconds * Math.max(1, lockout.wrongTries - lockout.maxTries + 1);
}

/** What a refusal for the lockout (0x921) means for whoever waits. */
export function lockedOut(lockout: Lockout, cause: unknown): DomainError {
  const seconds = longestLockSeconds(lockout) ?? null;
  const until = seconds === null ? 'until its lockout is reset' : `for at most ${spanText(Math.max(1, seconds))}`;
  return new DomainError(
    'unavailable',
    'tpm-locked-out',
    `The TPM itself is locked ${until}, after wrong passwords for other things on this machine. This is not the limit of ` +
      'the card, whose tries are as they were. See cardwright-agent doctor.',
    { cause, data: { releasedWithinSeconds: seconds } },
  );
}
