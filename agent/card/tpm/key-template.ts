import { DomainError } from '@cardwright/protocol';
import {
  type Bytes,
  CARD_KEY_ATTRIBUTES,
  type PublicArea,
  TPM_ALG,
  TPM_ECC_NIST_P256,
  Writer,
} from '@cardwright/protocol/tpm';
import type { KeyType } from '../port.ts';
import { ecP256PublicKeyInfo, rsaPublicKeyInfo } from '../spki.ts';

const NONE = new Uint8Array();

/** TPMT_PUBLIC to make a card key from. No scheme of its own: hash and padding are said with each signature. */
export function keyTemplate(keyType: KeyType, authPolicy: Bytes): Bytes {
  const start = new Writer()
    .u16(keyType === 'ec-p256' ? TPM_ALG.ECC : TPM_ALG.RSA)
    .u16(TPM_ALG.SHA256)
    .u32(CARD_KEY_ATTRIBUTES)
    .sized(authPolicy)
    .u16(TPM_ALG.NULL)
    .u16(TPM_ALG.NULL);
  switch (keyType) {
    case 'ec-p256':
      return start.u16(TPM_ECC_NIST_P256).u16(TPM_ALG.NULL).sized(NONE).sized(NONE).done();
    case 'rsa-2048':
      return start.u16(2048).u32(0).sized(NONE).done();
  }
}

type CardKeyArea = Exclude<PublicArea, { kind: 'keyed-hash' }>;

/** Which of the card's `policies` the key has. Throws `key-of-another-card`: the key is not one that this card's PIN, and only it, opens. */
export function requireCardKey<P extends { readonly keyPolicy: Bytes }>(
  area: PublicArea,
  policies: readonly P[],
): P & { readonly area: CardKeyArea } {
  const policy = policies.find(({ keyPolicy }) => Buffer.from(area.authPolicy).equals(keyPolicy));
  if (
    area.kind === 'keyed-hash' ||
    area.nameAlg !== TPM_ALG.SHA256 ||
    area.attributes !== CARD_KEY_ATTRIBUTES ||
    policy === undefined
  ) {
    throw new DomainError('conflict', 'key-of-another-card', 'This key does not belong to this card.');
  }
  return { ...policy, area };
}

/** SubjectPublicKeyInfo, DER. Throws `key-blob-malformed` for what is no key of a card. */
export function publicKeyInfo(area: PublicArea): Bytes {
  if (area.kind === 'ecc' && area.curve === TPM_ECC_NIST_P256) {
    const padded = (bytes: Bytes): Bytes =>
      Uint8Array.from([...new Uint8Array(Math.max(0, 32 - bytes.length)), ...bytes]);
    return ecP256PublicKeyInfo(padded(area.x), padded(area.y));
  }
  if (area.kind === 'rsa') return rsaPublicKeyInfo(area.modulus, area.exponent);
  throw new DomainError('unprocessable', 'key-blob-malformed', 'A card key is RSA, or ECC on P-256.');
}
