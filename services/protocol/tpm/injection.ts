import { constants, createCipheriv, createECDH, createPublicKey, publicEncrypt } from 'node:crypto';
import { DomainError } from '../errors.ts';
import { administratorKeyPublic } from './administrator-key.ts';
import { TPM_ALG } from './constants.ts';
import { DIGEST_BYTES, hmacSha256 } from './hashing.ts';
import { kdfa, kdfe } from './key-derivation.ts';
import type { StorageParent } from './storage-parent.ts';
import { type Bytes, concat, sized, Writer } from './wire.ts';

export interface WrappedKey {
  /** TPM2B_PUBLIC, TPM2B_PRIVATE and TPM2B_ENCRYPTED_SECRET, as TPM2_Import takes them. */
  readonly public: Bytes;
  readonly duplicate: Bytes;
  readonly inSymSeed: Bytes;
  readonly name: Bytes;
}

export interface WrapRequest {
  /** 32 bytes each; lent. */
  readonly key: Bytes;
  readonly seedValue: Bytes;
  readonly parent: StorageParent;
  readonly random: (bytes: number) => Bytes;
}

/**
 * Wraps an administrator key so that only the TPM that holds `parent` can open it. authValue is empty: with the empty policy
 * no authorisation can be satisfied anyway.
 */
export function wrapAdministratorKey(request: WrapRequest): WrappedKey {
  return wrapObject({ ...request, ...administratorKeyPublic(request), sensitive: request.key });
}

/**
 * The outer wrap of duplication (Part 1, section 23.3; no inner wrap) of a KEYEDHASH object with an empty authValue.
 * @param of `sensitive` and `seedValue` are lent; `publicArea` must have been made from them.
 */
export function wrapObject(of: {
  readonly publicArea: Bytes;
  readonly name: Bytes;
  readonly seedValue: Bytes;
  readonly sensitive: Bytes;
  readonly parent: StorageParent;
  readonly random: (bytes: number) => Bytes;
}): WrappedKey {
  const { publicArea, name } = of;
  const { seed, encrypted } = shareSeed(of.parent, 'DUPLICATE', of.random);
  const sensitive = sized(
    new Writer().u16(TPM_ALG.KEYEDHASH).sized(new Uint8Array()).sized(of.seedValue).sized(of.sensitive).done(),
  );
  try {
    const none = new Uint8Array();
    const cipher = createCipheriv('aes-128-cfb', kdfa(seed, 'STORAGE', name, none, 128), new Uint8Array(16));
    const enciphered = concat(cipher.update(sensitive), cipher.final());
    const integrity = hmacSha256(kdfa(seed, 'INTEGRITY', none, none, 256), enciphered, name);
    return {
      public: sized(publicArea),
      duplicate: sized(concat(sized(integrity), enciphered)),
      inSymSeed: sized(encrypted),
      name,
    };
  } finally {
    sensitive.fill(0);
    seed.fill(0);
  }
}

/**
 * A fresh 32-byte secret that only the holder of `parent` learns (Part 1, annexes B.10.3 and C.6.1). Used for duplication
 * (`DUPLICATE`) and for the salt of sessions (`SECRET`). `encrypted` is what goes into a TPM2B_ENCRYPTED_SECRET.
 */
export function shareSeed(
  parent: StorageParent,
  label: 'DUPLICATE' | 'SECRET',
  random: (bytes: number) => Bytes,
): { seed: Bytes; encrypted: Bytes } {
  if (parent.kind === 'rsa') {
    const seed = draw(random);
    const key = createPublicKey({
      format: 'jwk',
      key: {
        kty: 'RSA',
        n: Buffer.from(parent.modulus).toString('base64url'),
        e: Buffer.from(concat(Uint8Array.of(parent.exponent >>> 16, parent.exponent >>> 8, parent.exponent))).toString(
          'base64url',
        ),
      },
    });
    const oaepLabel = Buffer.from(`${label}\0`, 'latin1');
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    const encrypted = publicEncrypt({ key, padding, oaepHash: 'sha256', oaepLabel }, seed);
    return { seed, encrypted: new Uint8Array(encrypted) };
  }
  const ephemeral = createECDH('prime256v1');
  setEphemeral(ephemeral, random);
  const point = new Uint8Array(ephemeral.getPublicKey());
  const x = point.slice(1, 33);
  const z = new Uint8Array(ephemeral.computeSecret(concat(Uint8Array.of(4), parent.x, parent.y)));
  const seed = kdfe(z, label, x, parent.x, 256);
  z.fill(0);
  return { seed, encrypted: concat(sized(x), sized(point.slice(33, 65))) };
}

/** A scalar outside 1..n-1 (2^-32 of the draws) is refused by OpenSSL; then another is drawn. */
function setEphemeral(ephemeral: ReturnType<typeof createECDH>, random: (bytes: number) => Bytes): void {
  for (let attempt = 0; ; attempt++) {
    const scalar = draw(random);
    try {
      ephemeral.setPrivateKey(scalar);
      return;
    } catch (cause) {
      if (attempt === 8) throw new DomainError('internal', 'random-broken', 'No usable scalar was drawn.', { cause });
    } finally {
      scalar.fill(0);
    }
  }
}

function draw(random: (bytes: number) => Bytes): Bytes {
  const bytes = random(DIGEST_BYTES);
  if (bytes.length !== DIGEST_BYTES) {
    throw new DomainError(
      'internal',
      'random-broken',
      'The random source gave another number of bytes than asked for.',
    );
  }
  return bytes;
}
