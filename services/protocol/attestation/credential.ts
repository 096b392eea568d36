import { constants, createCipheriv, createECDH, createPublicKey, publicEncrypt } from 'node:crypto';
import { DomainError } from '../errors.ts';
import { hmacWith } from '../tpm/hashing.ts';
import { kdfa, kdfe } from '../tpm/key-derivation.ts';
import { type Bytes, concat, sized } from '../tpm/wire.ts';
import type { EndorsementKey } from './endorsement-key.ts';
import { refused } from './refusal.ts';

type Random = (bytes: number) => Bytes;

export interface Credential {
  /** TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET, as TPM2_ActivateCredential takes them. */
  readonly credentialBlob: Bytes;
  readonly secret: Bytes;
}

const NONE = new Uint8Array();
const LABEL = 'IDENTITY';

/**
 * Hides `value` (at most 32 bytes) so that only the TPM that holds `endorsementKey` learns it, and only while the object of
 * the Name `keyName` is loaded in that very TPM (TPM2_MakeCredential without a TPM; Part 1, section 24 and annexes B.10.4,
 * C.6.4). Who brings the value back has both keys in one TPM. Throws `ek-not-allowed` for a key that can't be used.
 */
export function makeCredential(
  endorsementKey: EndorsementKey,
  keyName: Bytes,
  value: Bytes,
  random: Random,
): Credential {
  if (value.length === 0 || value.length > 32) {
    throw new DomainError('internal', 'credential-length', 'A credential has 1 to 32 bytes.');
  }
  const { nameHash, symmetricBits } = endorsementKey;
  const bits = DIGEST_BITS[nameHash];
  const { seed, encrypted } = shareSeed(endorsementKey, random);
  try {
    const key = kdfa(seed, 'STORAGE', keyName, NONE, symmetricBits, nameHash);
    const cipher = createCipheriv(symmetricBits === 256 ? 'aes-256-cfb' : 'aes-128-cfb', key, new Uint8Array(16));
    const identity = concat(cipher.update(sized(value)), cipher.final());
    const integrity = hmacWith(nameHash, kdfa(seed, 'INTEGRITY', NONE, NONE, bits, nameHash), identity, keyName);
    return { credentialBlob: sized(concat(sized(integrity), identity)), secret: sized(encrypted) };
  } finally {
    seed.fill(0);
  }
}

const DIGEST_BITS = { sha256: 256, sha384: 384, sha512: 512 } as const;

function shareSeed(to: EndorsementKey, random: Random): { seed: Bytes; encrypted: Bytes } {
  const bytes = DIGEST_BITS[to.nameHash] / 8;
  try {
    if (to.kind === 'rsa') {
      const seed = Uint8Array.from(random(bytes));
      const n = Buffer.from(to.modulus).toString('base64url');
      const key = createPublicKey({ format: 'jwk', key: { kty: 'RSA', n, e: 'AQAB' } });
      const [padding, oaepLabel] = [constants.RSA_PKCS1_OAEP_PADDING, Buffer.from(`${LABEL}\0`, 'latin1')];
      return {
        seed,
        encrypted: new Uint8Array(publicEncrypt({ key, padding, oaepHash: to.nameHash, oaepLabel }, seed)),
      };
    }
    const ephemeral = createECDH(to.curve);
    const width = to.x.length;
    ephemeral.setPrivateKey(scalar(random, width));
    const point = new Uint8Array(ephemeral.getPublicKey());
    const x = point.slice(1, 1 + width);
    // Refuses a point that is not on the curve: it must not meet the ephemeral secret.
    const z = new Uint8Array(ephemeral.computeSecret(concat(Uint8Array.of(4), to.x, to.y)));
    const seed = kdfe(z, LABEL, x, to.x, bytes * 8, to.nameHash);
    z.fill(0);
    return { seed, encrypted: concat(sized(x), sized(point.slice(1 + width))) };
  } catch (cause) {
    throw refused('ek-not-allowed', 'No endorsement key: its numbers are not those of a key.', cause);
  }
}

/** Below the order of P-256 and of P-384, whose first bits are all ones, and not zero: that costs two bits of 256 or 384. */
function scalar(random: Random, bytes: number): Bytes {
  const drawn = Uint8Array.from(random(bytes));
  drawn[0] = (drawn[0] ?? 0) & 0x7f;
  drawn[bytes - 1] = (drawn[bytes - 1] ?? 0) | 1;
  return drawn;
}
