import { DomainError } from '@cardwright/protocol';
import { parseStoragePublic } from '@cardwright/protocol/tpm';
import type { LockoutProtection } from '@cardwright/vault';
import type { Actor, Intent } from '../kernel/actor.ts';
import type { LockoutDependencies, LockoutRules } from './ports.ts';

type DeviceIntent = Intent & { readonly actor: Extract<Actor, { kind: 'device' }> };

/**
 * What the device needs to put its TPM's lockout under the vault's protection. Asked again, the same: whether it was done is
 * the device's to know, since a TPM that was cleared has lost it.
 * @throws DomainError `lockout-not-managed` (conflict), `tpm-parent-of-another-device`, `tpm-parent-not-allowed`
 *   (unprocessable); those of the vault.
 */
export async function protectLockout(
  { lockoutRules, lockoutDevices, vault, unitOfWork, audit }: LockoutDependencies,
  intent: DeviceIntent,
  parentPublic: Uint8Array,
): Promise<LockoutProtection & { readonly rules: LockoutRules }> {
  if (lockoutRules === null) {
    const detail = 'This organisation leaves the lockout of its devices alone (CMS_TPM_LOCKOUT is not set).';
    throw new DomainError('conflict', 'lockout-not-managed', detail);
  }
  const deviceId = intent.actor.id;
  const { name } = parseStoragePublic(parentPublic);
  if (Buffer.from(name).toString('hex') !== (await lockoutDevices.storageKeyName(deviceId))) {
    const detail = 'This storage key is not the one that the device was enrolled with.';
    throw new DomainError('unprocessable', 'tpm-parent-of-another-device', detail);
  }
  const record = (action: string) =>
    unitOfWork.run((tx) =>
      audit.record(tx, intent, {
        action,
        object: { kind: 'device', id: deviceId },
        about: { deviceId },
        after: { ...lockoutRules },
      }),
    );
  await record('lockout.protection-requested');
  const asked = { deviceId, parentPublic, requestedBy: deviceId, requestId: intent.requestId };
  const protection = await vault.protectLockout(asked);
  await record('lockout.protection-given');
  return { ...protection, rules: lockoutRules };
}
