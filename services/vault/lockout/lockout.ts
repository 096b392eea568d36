import { DomainError, Secret } from '@cardwright/protocol';
import { parseStoragePublic, wrapSealedData } from '@cardwright/protocol/tpm';
import type { Custody } from '../custody.ts';
import type { SecretFacts } from '../key-record.ts';
import type { SecretStore, Use } from '../ports.ts';
import { openSecret, sealSecret } from '../secret-seal.ts';
import { uuidOf } from '../uuid.ts';
import { authorityOf, LOCKOUT_SEED_BYTES, lockoutPassword, signReset } from './lockout-key.ts';
import type { LockoutAnswer, LockoutProtection, ProtectLockout, ResetLockout } from './operations.ts';

/** Digits of the storage key's Name that a secret is found by: 108 bits, as many as there is room for. */
const NAME_DIGITS = 27;

/** One secret for each device and storage key: whoever names a storage key of his own is given another password. */
function nameOf(deviceId: string, parentName: Uint8Array): string {
  // The first two bytes say SHA-256, of every one.
  return `${deviceId}/${Buffer.from(parentName)
    .toString('hex')
    .slice(4, 4 + NAME_DIGITS)}`;
}

/** See LockoutOperations.protectLockout. */
export async function protectLockout(
  custody: Custody,
  secrets: SecretStore,
  params: ProtectLockout,
  use: Use,
  recordRepeat: (use: Use) => Promise<void>,
): Promise<LockoutProtection> {
  const parent = parseStoragePublic(params.parentPublic);
  const name = nameOf(params.deviceId, parent.name);
  const seed = (await existing(custody, secrets, name)) ?? (await made());
  const seedValue = custody.random(32);
  try {
    return seed.use((bytes) => {
      const password = lockoutPassword(bytes);
      try {
        const { random } = custody;
        const wrapped = password.use((data) => wrapSealedData({ data, seedValue, parent, random }));
        return { authority: authorityOf(bytes).publicArea, ...wrapped };
      } finally {
        password.wipe();
      }
    });
  } finally {
    seed.wipe();
    seedValue.fill(0);
  }

  async function existing(from: Custody, store: SecretStore, wanted: string): Promise<Secret | undefined> {
    const found = await store.findNamed('lockout-key', wanted);
    if (found === undefined) return undefined;
    await recordRepeat(use);
    return openSecret(from, found);
  }

  async function made(): Promise<Secret> {
    const fresh = Secret.take(custody.random(LOCKOUT_SEED_BYTES));
    const facts: SecretFacts = {
      id: uuidOf(custody.random(16)),
      kind: 'lockout-key',
      name,
      cardId: null,
      algorithm: null,
      kcv: null,
    };
    if (await secrets.addSecret(facts, await sealSecret(custody, facts, fresh), use)) return fresh;
    // Another request made it a moment ago.
    fresh.wipe();
    const theirs = await existing(custody, secrets, name);
    if (theirs === undefined) throw new Error('a lockout key is stored and is not there');
    return theirs;
  }
}

/** See LockoutOperations.resetLockout. */
export async function resetLockout(
  custody: Custody,
  secrets: SecretStore,
  { deviceId, parentName, nonce }: ResetLockout,
): Promise<LockoutAnswer> {
  const found = await secrets.findNamed('lockout-key', nameOf(deviceId, parentName));
  if (found === undefined) {
    const detail = "The vault has nothing for the lockout of this device's TPM: it was not put under its protection.";
    throw new DomainError('not-found', 'lockout-not-protected', detail);
  }
  const seed = await openSecret(custody, found);
  try {
    return { signature: seed.use((bytes) => signReset(bytes, nonce)) };
  } finally {
    seed.wipe();
  }
}
