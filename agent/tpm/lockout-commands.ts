import { type Bytes, type Reader, TPM_ALG, TPM_CC, TPM_RH, u32, Writer } from '@cardwright/protocol/tpm';
import { type Authorizer, EMPTY_AUTH } from './authorization.ts';
import type { Entity } from './command.ts';
import { isRefusal, RC } from './response-code.ts';
import type { Tpm } from './tpm.ts';
import { malformed } from './transport-errors.ts';

const LOCKOUT: Entity = { handle: TPM_RH.LOCKOUT, name: u32(TPM_RH.LOCKOUT) };
const CAP_AUTH_POLICIES = 9;
const NONE = new Uint8Array();

/** Part 3, section 24.3: how many wrong tries lock the TPM, when one is forgiven, and how long a wrong password is punished. */
export interface LockoutRules {
  readonly maxTries: number;
  readonly forgivenAfterSeconds: number;
  readonly passwordPauseSeconds: number;
}

/*
 * All of these prove the lockout's password, which is empty on a TPM that nobody has put under protection. A wrong one is
 * punished at once and for long: whoever calls these has looked whether it is empty.
 */

export async function setLockoutPolicy(tpm: Tpm, authPolicy: Bytes): Promise<void> {
  const parameters = new Writer().sized(authPolicy).u16(TPM_ALG.SHA256).done();
  await tpm.run({ code: TPM_CC.SetPrimaryPolicy, handles: [LOCKOUT], authorizers: [EMPTY_AUTH], parameters });
}

export async function setLockoutRules(tpm: Tpm, rules: LockoutRules): Promise<void> {
  const parameters = new Writer()
    .u32(rules.maxTries)
    .u32(rules.forgivenAfterSeconds)
    .u32(rules.passwordPauseSeconds)
    .done();
  await tpm.run({ code: TPM_CC.DictionaryAttackParameters, handles: [LOCKOUT], authorizers: [EMPTY_AUTH], parameters });
}

/** `hiding` enciphers the new password on its way. */
export async function setLockoutPassword(tpm: Tpm, hiding: Authorizer, password: Bytes): Promise<void> {
  const parameters = new Writer().sized(password).done();
  await tpm.run({
    code: TPM_CC.HierarchyChangeAuth,
    handles: [LOCKOUT],
    authorizers: [EMPTY_AUTH, hiding],
    parameters,
  });
}

export async function resetLockout(tpm: Tpm, authorizer: Authorizer): Promise<void> {
  await tpm.run({ code: TPM_CC.DictionaryAttackLockReset, handles: [LOCKOUT], authorizers: [authorizer] });
}

/** The policy of the lockout; undefined where there is none, or where the TPM is too old to say. */
export async function lockoutPolicyOf(tpm: Tpm): Promise<Bytes | undefined> {
  let reader: Reader;
  try {
    const parameters = new Writer().u32(CAP_AUTH_POLICIES).u32(TPM_RH.LOCKOUT).u32(1).done();
    reader = (await tpm.run({ code: TPM_CC.GetCapability, parameters })).parameters;
  } catch (error) {
    if (isRefusal(error, RC.VALUE)) return undefined;
    throw error;
  }
  reader.u8('moreData');
  if (reader.u32('capability') !== CAP_AUTH_POLICIES) throw malformed('another capability than asked for');
  if (reader.u32('policy count') === 0 || reader.u32('handle') !== TPM_RH.LOCKOUT) return undefined;
  return reader.u16('hash algorithm') === TPM_ALG.SHA256 ? reader.bytes(32, 'policy') : undefined;
}

/** Loads a public key for `work`, and forgets it. Needs no authorisation: it works on a locked TPM too. */
export async function withPublicKey<T>(
  tpm: Tpm,
  key: { readonly publicArea: Bytes; readonly name: Bytes },
  work: (loaded: Entity) => Promise<T>,
): Promise<T> {
  const { handle, parameters } = await tpm.run({
    code: TPM_CC.LoadExternal,
    parameters: new Writer().sized(NONE).sized(key.publicArea).u32(TPM_RH.NULL).done(),
    givesHandle: true,
  });
  try {
    if (!Buffer.from(parameters.sized(66, 'name')).equals(key.name)) throw malformed('the loaded key has another Name');
    return await work({ handle, name: key.name });
  } finally {
    await tpm.flush(handle);
  }
}
