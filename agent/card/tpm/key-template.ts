import { DomainError } from '@cardwright/protocol';
import {
  type Bytes,
  CARD_KEY_ATTRIBUTES,
  type PublicArea,
  TPM_ALG,
  TPM_ECC_NIST_P256,
  TPM_ECC_NIST_P384,
  Writer,
} from '@cardwright/protocol/tpm';
import type { KeyType } from '../port.ts';
import { ecPublicKeyInfo, rsaPublicKeyInfo } from '../spki.ts';

const NONE = new Uint8Array();

/** TPMS_ECC_PARMS and TPMS_RSA_PARMS with no symmetric and no scheme: hash and padding are said with each signature. */
const PARAMETERS: Readonly<Record<KeyType, { readonly type: number; readonly parameters: Bytes }>> = {
  'ec-p256': ecc(TPM_ECC_NIST_P256),
  'ec-p384': ecc(TPM_ECC_NIST_P384),
  'rsa-2048': rsa(2048),
  'rsa-3072': rsa(3072),
};

function ecc(curve: number): { type: number; parameters: Bytes } {
  const parameters = new Writer().u16(TPM_ALG.NULL).u16(TPM_ALG.NULL).u16(curve).u16(TPM_ALG.NULL).done();
  return { type: TPM_ALG.ECC, parameters };
}

/** An exponent of zero is the default, 65537. */
function rsa(bits: number): { type: number; parameters: Bytes } {
  return { type: TPM_ALG.RSA, parameters: new Writer().u16(TPM_ALG.NULL).u16(TPM_ALG.NULL).u16(bits).u32(0).done() };
}

/** TPMT_PUBLIC to make a card key from. */
export function keyTemplate(keyType: KeyType, authPolicy: Bytes): Bytes {
  const { type, parameters } = PARAMETERS[keyType];
  const start = new Writer().u16(type).u16(TPM_ALG.SHA256).u32(CARD_KEY_ATTRIBUTES).sized(authPolicy).bytes(parameters);
  return (type === TPM_ALG.ECC ? start.sized(NONE).sized(NONE) : start.sized(NONE)).done();
}

/** TPMT_PUBLIC_PARMS, by which a TPM is asked whether it has such keys. */
export function keyParameters(keyType: KeyType): Bytes {
  const { type, parameters } = PARAMETERS[keyType];
  return new Writer().u16(type).bytes(parameters).done();
}

type CardKeyArea = Exclude<PublicArea, { kind: 'keyed-hash' }>;

/** Throws `key-of-another-card`: the key is not one that the PIN of the card of `policy`, and only it, opens. */
export function requireCardKey(area: PublicArea, policy: Bytes): CardKeyArea {
  if (
    area.kind === 'keyed-hash' ||
    area.nameAlg !== TPM_ALG.SHA256 ||
    area.attributes !== CARD_KEY_ATTRIBUTES ||
    !Buffer.from(area.authPolicy).equals(policy)
  ) {
    throw new DomainError('conflict', 'key-of-another-card', 'This key does not belong to this card.');
  }
  return area;
}

/** SubjectPublicKeyInfo, DER. Throws `key-blob-malformed` for what is no key of a card. */
export function publicKeyInfo(area: PublicArea): Bytes {
  if (area.kind === 'ecc' && area.curve === TPM_ECC_NIST_P256) return ecPublicKeyInfo('P-256', area.x, area.y);
  if (area.kind === 'ecc' && area.curve === TPM_ECC_NIST_P384) return ecPublicKeyInfo('P-384', area.x, area.y);
  if (area.kind === 'rsa') return rsaPublicKeyInfo(area.modulus, area.exponent);
  throw new DomainError('unprocessable', 'key-blob-malformed', 'A card key is RSA, or ECC on P-256 or P-384.');
}
