import { TPM_CC } from './constants.ts';
import { sha256, ZERO_DIGEST } from './hashing.ts';
import { type Bytes, concat, u16, u32 } from './wire.ts';

/**
 * The algebra of policy digests, Part 1 section 19.7 and the "policyDigest is updated" paragraphs of Part 3, section 23.
 * Each function gives the digest after the command, from the digest before it.
 */
export const EMPTY_POLICY: Bytes = ZERO_DIGEST;

/** PolicyUpdate(): two hashes, the second over policyRef alone (even when it is empty). */
function update(before: Bytes, commandCode: number, name: Bytes, policyRef: Bytes): Bytes {
  return sha256(sha256(before, u32(commandCode), name), policyRef);
}

export function policySigned(before: Bytes, authName: Bytes, policyRef: Bytes): Bytes {
  return update(before, TPM_CC.PolicySigned, authName, policyRef);
}

/** What TPM2_PolicyNV compares: the index's bytes from `offset` on with `operand`, by a TPM_EO. */
export interface NvCondition {
  readonly operand: Bytes;
  readonly offset: number;
  readonly operation: number;
}

export function policyNv(before: Bytes, { operand, offset, operation }: NvCondition, nvName: Bytes): Bytes {
  return sha256(before, u32(TPM_CC.PolicyNV), sha256(operand, u16(offset), u16(operation)), nvName);
}

/** Starts from zero whatever was before: the approved policy is replaced by who approved it. */
export function policyAuthorize(keyName: Bytes, policyRef: Bytes): Bytes {
  return update(ZERO_DIGEST, TPM_CC.PolicyAuthorize, keyName, policyRef);
}

export function policyCommandCode(before: Bytes, commandCode: number): Bytes {
  return sha256(before, u32(TPM_CC.PolicyCommandCode), u32(commandCode));
}

/** Starts from zero whatever was before. Two to eight branches. */
export function policyOr(branches: readonly Bytes[]): Bytes {
  return sha256(ZERO_DIGEST, u32(TPM_CC.PolicyOR), concat(...branches));
}
