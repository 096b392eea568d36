import { DomainError, type Secret } from '@cardwright/protocol';
import { type Bytes, DIGEST_BYTES, sha256 } from '@cardwright/protocol/tpm';

/**
 * The authValue of a PIN: its UTF-8 bytes, or their SHA-256 when they are more than the TPM takes (32, the size of the
 * index's nameAlg). A copy: `work` is lent it, then it is wiped. Throws `pin-empty`.
 */
export async function withPinValue<T>(pin: Secret, work: (authValue: Bytes) => Promise<T>): Promise<T> {
  const value = pin.use((bytes) => (bytes.length <= DIGEST_BYTES ? Uint8Array.from(bytes) : sha256(bytes)));
  try {
    // Trailing zero bytes are no part of an authValue: a PIN of nothing else would be no PIN.
    if (value.every((byte) => byte === 0))
      throw new DomainError('invalid', 'pin-empty', 'A PIN has at least one character.');
    return await work(value);
  } finally {
    value.fill(0);
  }
}
