import { DomainError } from '../errors.ts';
import { CARD_NV_ATTRIBUTES, PIN_COUNTER_BYTES, TPM_CC } from './constants.ts';
import { encodeNvPublic, NAME_BYTES, type NvPublic, nvName, written } from './names.ts';
import {
  EMPTY_POLICY,
  type NvCondition,
  policyAuthorize,
  policyCommandCode,
  policyNv,
  policyOr,
  policySigned,
} from './policies.ts';
import { type Bytes, concat, u32 } from './wire.ts';

/**
 * The card in the TPM: one PIN_FAIL index whose authValue is the PIN, and keys that only PolicySecret(index) opens. Both
 * ends compute its Names and policies from here, and the tests hold them against the TPM's own.
 */
const text = new TextEncoder();

/** What an administrator key's signature is for; they keep an answer to one question from answering another. */
export const CARD_REFS = {
  self: text.encode('card:self') as Bytes,
  reset: text.encode('card:reset') as Bytes,
  write: text.encode('card:write') as Bytes,
} as const;

export type PolicyBranches = readonly [self: Bytes, reset: Bytes, write: Bytes, read: Bytes, certify: Bytes];

export interface CardPolicies {
  readonly branches: PolicyBranches;
  readonly authPolicy: Bytes;
}

export function cardPolicies(administratorKeyName: Bytes): CardPolicies {
  requireName(administratorKeyName);
  const signed = (ref: Bytes, commandCode: number): Bytes =>
    policyCommandCode(policySigned(EMPTY_POLICY, administratorKeyName, ref), commandCode);
  const branches: PolicyBranches = [
    policyAuthorize(administratorKeyName, CARD_REFS.self),
    signed(CARD_REFS.reset, TPM_CC.NV_ChangeAuth),
    signed(CARD_REFS.write, TPM_CC.NV_Write),
    policyCommandCode(EMPTY_POLICY, TPM_CC.NV_Read),
    policyCommandCode(EMPTY_POLICY, TPM_CC.NV_Certify),
  ];
  return { branches, authPolicy: policyOr(branches) };
}

export interface PinIndex {
  /** TPMS_NV_PUBLIC, as TPM2_NV_DefineSpace takes it. */
  readonly nvPublic: Bytes;
  readonly authPolicy: Bytes;
  /** Its Name until the first write: what the first-write answer is bound to. */
  readonly definedName: Bytes;
  /** Its Name ever after: what the keys and the resets are bound to. */
  readonly writtenName: Bytes;
}

export function pinIndex(of: { readonly nvIndex: number; readonly administratorKeyName: Bytes }): PinIndex {
  requireNvIndex(of.nvIndex);
  const nv: NvPublic = {
    nvIndex: of.nvIndex,
    attributes: CARD_NV_ATTRIBUTES,
    authPolicy: cardPolicies(of.administratorKeyName).authPolicy,
    dataSize: PIN_COUNTER_BYTES,
  };
  return {
    nvPublic: encodeNvPublic(nv),
    authPolicy: nv.authPolicy,
    definedName: nvName(nv),
    writtenName: nvName(written(nv)),
  };
}

/**
 * By which a policy session is shown the PIN: TPM2_PolicyNV reads the index, which nobody may do for that command but who
 * proves its authValue (AUTHREAD; no branch of the policy allows it). The proof itself sets pinCount to 0, so that the
 * comparison, `pinCount = 0`, then holds. TPM_EO_EQ is 0.
 */
export const PIN_PROVED: NvCondition = { operand: u32(0), offset: 0, operation: 0 };

/**
 * Of every key on the card: whoever knows the PIN of that very index, first written by the administrator key. Not
 * TPM2_PolicySecret, because it gives a ticket to who asks (Part 3, section 23.4): a process that once saw the PIN could
 * use the keys with it for years, whether the card is blocked or the PIN changed since. TPM2_PolicyNV gives none.
 */
export function cardKeyPolicy(writtenName: Bytes): Bytes {
  return policyNv(EMPTY_POLICY, PIN_PROVED, writtenName);
}

/** The index's data: tries used, tries allowed. */
export function pinCounter(pinCount: number, pinLimit: number): Bytes {
  if (!Number.isInteger(pinCount) || !Number.isInteger(pinLimit) || pinCount < 0 || pinLimit < 1 || pinLimit > 100) {
    throw new DomainError('invalid', 'pin-limit-invalid', 'A PIN limit is 1 to 100 tries.');
  }
  return concat(u32(pinCount), u32(pinLimit));
}

/** Handles of NV indexes that belong to the owner (Registry of Reserved TPM 2.0 Handles): where cards live. */
export const CARD_NV_FIRST = 0x01800000;
export const CARD_NV_LAST = 0x01bfffff;

function requireNvIndex(nvIndex: number): void {
  if (!Number.isInteger(nvIndex) || nvIndex < CARD_NV_FIRST || nvIndex > CARD_NV_LAST) {
    throw new DomainError('unprocessable', 'nv-index-invalid', 'A card lives at an NV index 0x01800000 to 0x01bfffff.');
  }
}

/** Throws `tpm-name-invalid` (unprocessable) unless it is the Name of an object or index with SHA-256. */
export function requireName(name: Bytes): void {
  if (name.length !== NAME_BYTES || name[0] !== 0x00 || name[1] !== 0x0b) {
    throw new DomainError('unprocessable', 'tpm-name-invalid', 'A Name is 000b and a SHA-256 digest: 34 bytes.');
  }
}
