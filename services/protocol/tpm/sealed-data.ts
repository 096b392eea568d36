import { DomainError } from '../errors.ts';
import { OBJECT_ATTRIBUTE, TPM_ALG } from './constants.ts';
import { DIGEST_BYTES, sha256 } from './hashing.ts';
import { type WrappedKey, wrapObject } from './injection.ts';
import { objectName } from './names.ts';
import { parsePublic } from './public-area.ts';
import type { StorageParent } from './storage-parent.ts';
import { type Bytes, Writer } from './wire.ts';

/**
 * userWithAuth and noDA, with an empty authValue: whoever the TPM lets use the parent may unseal. Neither sign nor decrypt,
 * which makes it a data object (Part 1, section 27.6); the policy is EMPTY, so that nobody can duplicate it again.
 */
export const SEALED_DATA_ATTRIBUTES = OBJECT_ATTRIBUTE.userWithAuth | OBJECT_ATTRIBUTE.noDA;

/** MAX_SYM_DATA (Part 2, section 10.4.3): what every TPM can seal. */
export const MAX_SEALED_BYTES = 128;

/**
 * Wraps a few bytes so that only the TPM that holds `parent` gives them out (TPM2_Import, TPM2_Load, TPM2_Unseal).
 * @param of `data` 1 to 128 bytes, and `seedValue`, 32 bytes, which hides them from their own public area; both lent.
 */
export function wrapSealedData(of: {
  readonly data: Bytes;
  readonly seedValue: Bytes;
  readonly parent: StorageParent;
  readonly random: (bytes: number) => Bytes;
}): WrappedKey {
  const { data, seedValue } = of;
  if (data.length === 0 || data.length > MAX_SEALED_BYTES || seedValue.length !== DIGEST_BYTES) {
    throw new DomainError('internal', 'sealed-data-length', `${MAX_SEALED_BYTES} bytes at most are sealed in a TPM.`);
  }
  const publicArea = new Writer()
    .u16(TPM_ALG.KEYEDHASH)
    .u16(TPM_ALG.SHA256)
    .u32(SEALED_DATA_ATTRIBUTES)
    .sized(new Uint8Array())
    .u16(TPM_ALG.NULL)
    .sized(sha256(seedValue, data))
    .done();
  return wrapObject({ ...of, publicArea, name: objectName(publicArea), sensitive: data });
}

/**
 * Takes the TPM2B_PUBLIC of such an object and of no other: what a device is told to unseal is data, never a key.
 * @returns its Name. Throws `tpm-structure-malformed` or `sealed-data-not-allowed` (unprocessable).
 */
export function parseSealedDataPublic(tpm2bPublic: Bytes): Bytes {
  const area = parsePublic(tpm2bPublic);
  const right =
    area.kind === 'keyed-hash' &&
    area.nameAlg === TPM_ALG.SHA256 &&
    area.attributes === SEALED_DATA_ATTRIBUTES &&
    area.authPolicy.length === 0 &&
    area.scheme === 'none' &&
    area.unique.length === DIGEST_BYTES;
  if (right) return area.name;
  throw new DomainError(
    'unprocessable',
    'sealed-data-not-allowed',
    'No sealed data: it must be a data object with an empty policy, userWithAuth and noDA, and nothing else.',
  );
}
