/** Numbers of Part 2 (Structures) that attestation needs beyond those of the card. */

/** Every structure that a TPM signs begins with it, and nothing that it signs for others may (Part 2, section 6.2). */
export const TPM_GENERATED = 0xff544347;

/** TPM_ST, Part 2 section 6.9. */
export const ATTEST = { nv: 0x8014, certify: 0x8017, creation: 0x801a } as const;

export const TPM_RH_ENDORSEMENT = 0x4000000b;
export const TPM_ECC_NIST_P384 = 0x0004;
