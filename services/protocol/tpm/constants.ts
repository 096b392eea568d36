/** Numbers of the TPM 2.0 Library, Part 2 (Structures): those that the card needs. */

export const TPM_ALG = {
  RSA: 0x0001,
  HMAC: 0x0005,
  AES: 0x0006,
  KEYEDHASH: 0x0008,
  SHA256: 0x000b,
  SHA384: 0x000c,
  SHA512: 0x000d,
  NULL: 0x0010,
  RSASSA: 0x0014,
  RSAPSS: 0x0016,
  ECDSA: 0x0018,
  ECC: 0x0023,
  CFB: 0x0043,
} as const;

export const TPM_CC = {
  EvictControl: 0x0120,
  NV_UndefineSpace: 0x0122,
  HierarchyChangeAuth: 0x0129,
  NV_DefineSpace: 0x012a,
  SetPrimaryPolicy: 0x012e,
  CreatePrimary: 0x0131,
  NV_Write: 0x0137,
  DictionaryAttackLockReset: 0x0139,
  DictionaryAttackParameters: 0x013a,
  NV_ChangeAuth: 0x013b,
  PolicyNV: 0x0149,
  ActivateCredential: 0x0147,
  Certify: 0x0148,
  CertifyCreation: 0x014a,
  NV_Read: 0x014e,
  PolicySecret: 0x0151,
  Create: 0x0153,
  Import: 0x0156,
  Load: 0x0157,
  Sign: 0x015d,
  Unseal: 0x015e,
  PolicySigned: 0x0160,
  FlushContext: 0x0165,
  LoadExternal: 0x0167,
  NV_ReadPublic: 0x0169,
  PolicyAuthorize: 0x016a,
  PolicyAuthValue: 0x016b,
  PolicyCommandCode: 0x016c,
  PolicyOR: 0x0171,
  ReadPublic: 0x0173,
  StartAuthSession: 0x0176,
  VerifySignature: 0x0177,
  GetCapability: 0x017a,
  Hash: 0x017d,
  NV_Certify: 0x0184,
  PolicyGetDigest: 0x0189,
  TestParms: 0x018a,
  PolicyPassword: 0x018c,
} as const;

export const TPM_RH = { OWNER: 0x40000001, NULL: 0x40000007, LOCKOUT: 0x4000000a } as const;
export const TPM_ECC_NIST_P256 = 0x0003;
export const TPM_ECC_NIST_P384 = 0x0004;

/** TPMA_OBJECT, Part 2 section 8.3. */
export const OBJECT_ATTRIBUTE = {
  fixedTPM: 1 << 1,
  fixedParent: 1 << 4,
  sensitiveDataOrigin: 1 << 5,
  userWithAuth: 1 << 6,
  adminWithPolicy: 1 << 7,
  noDA: 1 << 10,
  restricted: 1 << 16,
  decrypt: 1 << 17,
  sign: 1 << 18,
} as const;

/** TPMA_NV bit that the TPM sets at the first write; it is part of the index's Name (Part 2, section 13.4). */
export const NV_WRITTEN = 0x20000000;

/**
 * The card's index: PIN_FAIL type, POLICYWRITE, AUTHREAD, POLICYREAD, NO_DA. Without OWNERWRITE and AUTHWRITE nobody but
 * the administrator key's holder can write it, so nobody else can make it WRITTEN.
 */
export const CARD_NV_ATTRIBUTES = 0x020c0088;

/**
 * fixedTPM, fixedParent, sensitiveDataOrigin, adminWithPolicy, noDA, decrypt, sign. userWithAuth is CLEAR: the policy is the
 * only way. What a key is for stands in its certificate: RSA paddings that the TPM lacks are made over the raw operation.
 */
export const CARD_KEY_ATTRIBUTES = 0x000604b2;

/**
 * sign, adminWithPolicy, noDA. userWithAuth is CLEAR and the policy EMPTY, so no authorisation exists by which the device
 * could use the key to answer its own challenge. (TPM2_PolicySigned and TPM2_VerifySignature need none.)
 */
export const ADMINISTRATOR_KEY_ATTRIBUTES = 0x00040480;

/** How long an answer to a challenge holds, in seconds. Positive, so that the TPM gives no ticket (Part 3, TPM2_PolicySigned). */
export const ANSWER_EXPIRATION_SECONDS = 900;

/** Bytes of the nonce by which a policy session is challenged: nonceTPM is as long as the nonceCaller sent. */
export const POLICY_NONCE_BYTES = 16;

/** `u32 pinCount || u32 pinLimit` (TPMS_NV_PIN_COUNTER_PARAMETERS). */
export const PIN_COUNTER_BYTES = 8;
