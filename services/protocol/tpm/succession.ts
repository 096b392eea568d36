import { CARD_REFS, requireName } from './card.ts';
import { TPM_CC } from './constants.ts';
import { sha256 } from './hashing.ts';
import { EMPTY_POLICY, policyAuthorize, policyCommandCode, policyOr, policySigned } from './policies.ts';
import type { Bytes } from './wire.ts';

/**
 * How a TPM card gets another administrator key. Its index's authPolicy names the founding key K1 for ever, and one of its
 * branches is PolicyAuthorize(K1, "card:self"). So K1 approves a policy that K2 can satisfy:
 *
 *     A2 = PolicyOR(R, W, S)    R = PolicySigned(K2, "card:reset") + CC(NV_ChangeAuth)
 *                               W = PolicySigned(K2, "card:write") + CC(NV_Write)
 *                               S = PolicyAuthorize(K2, "card:self")
 *
 * and by S, K2 approves A3 in its turn: a chain. Not guaranteed: that the earlier key loses its power. Whoever has it can
 * satisfy the index's own branches as before; only another index (a reissued card) shuts it out.
 */
export interface SuccessorPolicies {
  /** What TPM2_PolicyOR takes, in this order. */
  readonly branches: readonly [reset: Bytes, write: Bytes, self: Bytes];
  /** The digest after that PolicyOR: what the predecessor approves. */
  readonly policy: Bytes;
}

/** A session's policy as an administrator key approves it: TPM2_VerifySignature takes `digest`, TPM2_PolicyAuthorize the policy. */
export interface PolicyApproval {
  readonly approvedPolicy: Bytes;
  /** H(approvedPolicy || "card:self") (Part 3, TPM2_PolicyAuthorize, equation for aHash). */
  readonly digest: Bytes;
}

/** Longest chain: every link costs a session two commands and a loaded key. A card beyond it is reissued. */
export const MAX_SUCCESSIONS = 16;

/** @param successorName Name of the new administrator key. Throws `tpm-name-invalid`. */
export function successorPolicies(successorName: Bytes): SuccessorPolicies {
  requireName(successorName);
  const signed = (ref: Bytes, commandCode: number): Bytes =>
    policyCommandCode(policySigned(EMPTY_POLICY, successorName, ref), commandCode);
  const branches = [
    signed(CARD_REFS.reset, TPM_CC.NV_ChangeAuth),
    signed(CARD_REFS.write, TPM_CC.NV_Write),
    policyAuthorize(successorName, CARD_REFS.self),
  ] as const;
  return { branches, policy: policyOr(branches) };
}

/** What the predecessor signs, once for each proposed successor. */
export function successionApproval(successorName: Bytes): PolicyApproval {
  return approval(successorPolicies(successorName).policy);
}

/**
 * What the successor signs so that the card can be tried without a PIN and without harm: NV_Read, which anybody may do,
 * walked through the whole chain. It proves that this TPM holds the successor and that its approval is right.
 */
export function rehearsalApproval(): PolicyApproval {
  return approval(policyCommandCode(EMPTY_POLICY, TPM_CC.NV_Read));
}

function approval(approvedPolicy: Bytes): PolicyApproval {
  return { approvedPolicy, digest: sha256(approvedPolicy, CARD_REFS.self) };
}
