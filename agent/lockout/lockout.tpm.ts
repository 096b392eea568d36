import { DomainError } from '@cardwright/protocol';
import {
  ANSWER_EXPIRATION_SECONDS,
  type Bytes,
  LOCKOUT_RESET_CP_HASH,
  LOCKOUT_RESET_REF,
  lockoutPolicy,
  lockoutSignature,
  objectName,
  TPM_CC,
} from '@cardwright/protocol/tpm';
import { Hardware, openSealed } from '../card/tpm/index.ts';
import {
  isRefusal,
  lockoutPolicyOf,
  PolicySession,
  RC,
  readLockout,
  resetLockout,
  setLockoutPassword,
  setLockoutPolicy,
  setLockoutRules,
  type Tpm,
  withPublicKey,
} from '../tpm/index.ts';
import type { LockoutChallenge, LockoutPort, LockoutProtection } from './port.ts';

/** The lockout of `tpm`, which it owns from here on and `close` closes. */
export function tpmLockout(tpm: Tpm): LockoutPort & { close(): Promise<void> } {
  const hardware = new Hardware(tpm);
  return {
    parent: () => hardware.turn(async () => ({ public: (await hardware.roots.current()).public })),
    protect: (protection) => hardware.turn(() => protect(hardware, protection)),
    challenge: (authority) => hardware.turn(() => challenge(hardware, authority)),
    close: () => hardware.close(),
  };
}

/**
 * The policy first, the password last: cut off in between, the password is still empty and the next run goes on; once it is
 * set, the policy says whose protection it is. So a password that might be wrong, and be punished, is never tried.
 */
async function protect(hardware: Hardware, protection: LockoutProtection): Promise<'made' | 'done'> {
  const { tpm, roots } = hardware;
  const wanted = lockoutPolicy(objectName(protection.authority));
  if ((await readLockout(tpm)).passwordSet) {
    const standing = await lockoutPolicyOf(tpm);
    if (standing !== undefined && Buffer.from(standing).equals(wanted)) return 'done';
    const detail =
      "The TPM's lockout has a password that somebody else set. Whoever did can take it off; then run this again.";
    throw new DomainError('conflict', 'lockout-password-set', detail);
  }
  const password = await openSealed(hardware, protection.password);
  try {
    await setLockoutPolicy(tpm, wanted);
    await setLockoutRules(tpm, protection.rules);
    const session = await roots.session(await roots.current());
    const bytes = password.use((secret) => new Uint8Array(secret));
    try {
      await setLockoutPassword(tpm, session.hiding(), bytes);
    } finally {
      bytes.fill(0);
    }
    return 'made';
  } finally {
    password.wipe();
  }
}

async function challenge(hardware: Hardware, authority: Bytes): Promise<LockoutChallenge> {
  const session = await PolicySession.start(hardware.tpm);
  const pending = { abandon: () => session.end() };
  hardware.hold(pending);
  return {
    nonce: session.nonceTpm,
    finish: (signature) => hardware.turn(() => finish(hardware.tpm, session, authority, signature)),
    abandon: async () => {
      hardware.letGo(pending);
      await hardware.turn(() => session.end());
    },
  };
}

/** A refused signature leaves the session as it was: another may be tried. */
async function finish(tpm: Tpm, session: PolicySession, publicArea: Bytes, signature: Bytes): Promise<void> {
  const terms = {
    cpHash: LOCKOUT_RESET_CP_HASH,
    policyRef: LOCKOUT_RESET_REF,
    expirationSeconds: ANSWER_EXPIRATION_SECONDS,
  };
  try {
    await withPublicKey(tpm, { publicArea, name: objectName(publicArea) }, (key) =>
      session.signed(key, terms, lockoutSignature(signature)),
    );
    await session.commandCode(TPM_CC.DictionaryAttackLockReset);
    await resetLockout(tpm, session.spending());
  } catch (error) {
    if (isRefusal(error, RC.SIGNATURE)) {
      const detail = 'The TPM refused the response: it is not the answer to this challenge.';
      throw new DomainError('unprocessable', 'response-refused-by-tpm', detail, { cause: error });
    }
    if (isRefusal(error, RC.EXPIRED)) {
      const detail = 'The response came too late: begin anew with a fresh challenge.';
      throw new DomainError('conflict', 'response-expired', detail, { cause: error });
    }
    if (isRefusal(error, RC.POLICY_FAIL)) {
      const detail = "The TPM's lockout is under another protection than this store knows: protect it anew.";
      throw new DomainError('conflict', 'lockout-not-protected', detail, { cause: error });
    }
    throw error;
  }
}
