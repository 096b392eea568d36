import type { KeyObject } from 'node:crypto';
import { OBJECT_ATTRIBUTE, TPM_ALG, TPM_ECC_NIST_P256 } from '../tpm/constants.ts';
import { sha256 } from '../tpm/hashing.ts';
import { parsePublic } from '../tpm/public-area.ts';
import { type Bytes, concat, u16, u32, Writer } from '../tpm/wire.ts';
import { p256Key } from './ec-signature.ts';
import { TPM_RH_ENDORSEMENT } from './numbers.ts';
import { refused } from './refusal.ts';

const { fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, noDA, restricted, sign } = OBJECT_ATTRIBUTE;

/**
 * 0x00050472: made by the TPM, never leaves it, and *restricted*: it signs only what the TPM itself says or has hashed,
 * so that nobody can have it sign a statement that looks like a TPM's. Its authValue is empty: it stands for the device,
 * not for a person.
 */
export const ATTESTATION_KEY_ATTRIBUTES =
  fixedTPM | fixedParent | sensitiveDataOrigin | userWithAuth | noDA | restricted | sign;

const NONE = new Uint8Array();

/** TPMT_PUBLIC to make the device's attestation key from, a primary key of the endorsement hierarchy: the same each time. */
export const ATTESTATION_KEY_TEMPLATE: Bytes = new Writer()
  .u16(TPM_ALG.ECC)
  .u16(TPM_ALG.SHA256)
  .u32(ATTESTATION_KEY_ATTRIBUTES)
  .sized(NONE)
  .u16(TPM_ALG.NULL)
  .u16(TPM_ALG.ECDSA)
  .u16(TPM_ALG.SHA256)
  .u16(TPM_ECC_NIST_P256)
  .u16(TPM_ALG.NULL)
  .sized(NONE)
  .sized(NONE)
  .done();

export interface AttestationKey {
  readonly name: Bytes;
  /** What the TPM calls it in the statements that it signs. */
  readonly qualifiedName: Bytes;
  readonly key: KeyObject;
}

/**
 * Takes a TPM2B_PUBLIC as a device's attestation key. Only credential activation proves that a TPM holds it: until then
 * this is what it says of itself. Throws `evidence-malformed`, `ak-not-allowed`.
 */
export function parseAttestationKey(tpm2bPublic: Bytes): AttestationKey {
  const area = parsePublic(tpm2bPublic, 'evidence-malformed');
  const fits =
    area.kind === 'ecc' &&
    area.nameAlg === TPM_ALG.SHA256 &&
    area.attributes === ATTESTATION_KEY_ATTRIBUTES &&
    area.authPolicy.length === 0 &&
    area.symmetric === 'none' &&
    area.scheme !== 'none' &&
    area.scheme.algorithm === TPM_ALG.ECDSA &&
    area.scheme.hash === TPM_ALG.SHA256 &&
    area.curve === TPM_ECC_NIST_P256;
  if (!fits || area.x.length > 32 || area.y.length > 32) {
    const detail = 'An attestation key is restricted, for signing by ECDSA P-256 with SHA-256, and made by its TPM.';
    throw refused('ak-not-allowed', detail);
  }
  try {
    return { name: area.name, qualifiedName: qualifiedPrimaryName(area.name), key: p256Key(area.x, area.y) };
  } catch (cause) {
    throw refused('ak-not-allowed', "The attestation key's point is not on its curve.", cause);
  }
}

/** Qualified Name of a primary key of the endorsement hierarchy (Part 1, section 26.4): H(handle || Name). */
function qualifiedPrimaryName(name: Bytes): Bytes {
  return concat(u16(TPM_ALG.SHA256), sha256(u32(TPM_RH_ENDORSEMENT), name));
}
