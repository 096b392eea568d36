import {
  ANSWER_EXPIRATION_SECONDS,
  OBJECT_ATTRIBUTE,
  TPM_ALG,
  TPM_CC,
  TPM_ECC_NIST_P256,
  TPM_RH,
} from './constants.ts';
import { sha256 } from './hashing.ts';
import { objectName } from './names.ts';
import { EMPTY_POLICY, policyCommandCode, policySigned } from './policies.ts';
import { type Bytes, concat, sized, u32, Writer } from './wire.ts';

/**
 * The TPM's lockout, whose reset is a matter of challenge and response: its policy is
 *
 *     PolicySigned(authority, "device:lockout-reset") + PolicyCommandCode(DictionaryAttackLockReset)
 *
 * so that what the authority signs can forgive wrong tries and nothing else. The authority is a public key on P-256, and not
 * an imported one as a card's is: a TPM that is locked may refuse the use of the key that an imported one lies under, while
 * a public key is always taken (TPM2_LoadExternal).
 */
export const LOCKOUT_RESET_REF: Bytes = new TextEncoder().encode('device:lockout-reset');

export interface LockoutAuthority {
  /** TPMT_PUBLIC, for TPM2_LoadExternal. */
  readonly publicArea: Bytes;
  readonly name: Bytes;
}

/** @param point x and y, 32 bytes each. */
export function lockoutAuthority(point: { readonly x: Bytes; readonly y: Bytes }): LockoutAuthority {
  const publicArea = new Writer()
    .u16(TPM_ALG.ECC)
    .u16(TPM_ALG.SHA256)
    .u32(OBJECT_ATTRIBUTE.userWithAuth | OBJECT_ATTRIBUTE.noDA | OBJECT_ATTRIBUTE.sign)
    .sized(new Uint8Array())
    .u16(TPM_ALG.NULL)
    .u16(TPM_ALG.ECDSA)
    .u16(TPM_ALG.SHA256)
    .u16(TPM_ECC_NIST_P256)
    .u16(TPM_ALG.NULL)
    .sized(point.x)
    .sized(point.y)
    .done();
  return { publicArea, name: objectName(publicArea) };
}

/** The authPolicy of the lockout hierarchy. */
export function lockoutPolicy(authorityName: Bytes): Bytes {
  const signed = policySigned(EMPTY_POLICY, authorityName, LOCKOUT_RESET_REF);
  return policyCommandCode(signed, TPM_CC.DictionaryAttackLockReset);
}

/** cpHash of TPM2_DictionaryAttackLockReset: its one handle, whose Name is the handle itself. */
export const LOCKOUT_RESET_CP_HASH: Bytes = sha256(u32(TPM_CC.DictionaryAttackLockReset), u32(TPM_RH.LOCKOUT));

/** What the terms of one reset are, in the session of this nonce: aHash of TPM2_PolicySigned is over them. */
export const lockoutResetTerms = (nonceTpm: Bytes) => ({
  nonceTpm,
  expirationSeconds: ANSWER_EXPIRATION_SECONDS,
  cpHash: LOCKOUT_RESET_CP_HASH,
  policyRef: LOCKOUT_RESET_REF,
});

/** What the authority signs, by ECDSA with SHA-256: the bytes that policySignedDigest is the digest of. */
export function lockoutResetMessage(nonceTpm: Bytes): Bytes {
  const { expirationSeconds, cpHash, policyRef } = lockoutResetTerms(nonceTpm);
  return concat(nonceTpm, u32(expirationSeconds), cpHash, policyRef);
}

/** TPMT_SIGNATURE from r and s, 32 bytes each, one after the other. */
export function lockoutSignature(rs: Bytes): Bytes {
  return new Writer()
    .u16(TPM_ALG.ECDSA)
    .u16(TPM_ALG.SHA256)
    .bytes(sized(rs.slice(0, 32)))
    .bytes(sized(rs.slice(32)))
    .done();
}
