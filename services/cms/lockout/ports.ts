import type { LockoutOperations } from '@cardwright/vault';
import type { AuditTrail } from '../kernel/audit-entry.ts';
import type { UnitOfWork } from '../kernel/unit-of-work.ts';

/** When a TPM locks, and when it forgives (TPM2_DictionaryAttackParameters). */
export interface LockoutRules {
  readonly maxTries: number;
  readonly forgivenAfterSeconds: number;
  /** After a wrong lockout password. */
  readonly passwordPauseSeconds: number;
}

export interface LockoutDevices {
  /** Name of the device's storage key, hex; null: no such device. */
  storageKeyName(deviceId: string): Promise<string | null>;
}

export interface LockoutDependencies {
  /** Null: the organisation leaves the lockout of its devices alone. */
  readonly lockoutRules: LockoutRules | null;
  readonly lockoutDevices: LockoutDevices;
  readonly vault: LockoutOperations;
  readonly unitOfWork: UnitOfWork;
  readonly audit: AuditTrail;
}
