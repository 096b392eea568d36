import { DomainError } from '../errors.ts';
import { ADMINISTRATOR_KEY_ATTRIBUTES, TPM_ALG } from './constants.ts';
import { DIGEST_BYTES, sha256 } from './hashing.ts';
import { objectName } from './names.ts';
import { type Bytes, Writer } from './wire.ts';

/**
 * The card's administrator key as a TPM object: an HMAC-SHA-256 key that verifies answers and can't be used on the device.
 * `seedValue` (32 random bytes, kept with the key) hides the key from its own public area: unique = H(seedValue || key).
 */
export function administratorKeyPublic(of: { readonly seedValue: Bytes; readonly key: Bytes }): {
  readonly publicArea: Bytes;
  readonly name: Bytes;
} {
  if (of.seedValue.length !== DIGEST_BYTES || of.key.length !== DIGEST_BYTES) {
    throw new DomainError('internal', 'administrator-key-length', 'Key and seed value have 32 bytes each.');
  }
  const publicArea = new Writer()
    .u16(TPM_ALG.KEYEDHASH)
    .u16(TPM_ALG.SHA256)
    .u32(ADMINISTRATOR_KEY_ATTRIBUTES)
    .sized(new Uint8Array())
    .u16(TPM_ALG.HMAC)
    .u16(TPM_ALG.SHA256)
    .sized(sha256(of.seedValue, of.key))
    .done();
  return { publicArea, name: objectName(publicArea) };
}
