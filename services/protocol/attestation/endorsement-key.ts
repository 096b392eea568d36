import { OBJECT_ATTRIBUTE, TPM_ALG, TPM_ECC_NIST_P256 } from '../tpm/constants.ts';
import type { TpmHash } from '../tpm/hashing.ts';
import { parsePublic } from '../tpm/public-area.ts';
import { type Bytes, concat, Writer } from '../tpm/wire.ts';
import { TPM_ECC_NIST_P384 } from './numbers.ts';
import { refused } from './refusal.ts';

const { fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, adminWithPolicy, restricted, decrypt, sign } =
  OBJECT_ATTRIBUTE;

/** PolicySecret(endorsement hierarchy), SHA-256: PolicyA of the TCG EK Credential Profile. */
const POLICY_A_SHA256 = '837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa';
/** PolicyA, or what the index 0x01c07f01 authorises: PolicyB of the same. */
const POLICY_B_SHA256 = 'ca3d0a99a2b93906f7a3342414efcfb3a385d44cd1fd459089d19b5071c0b7a0';
const POLICY_B_SHA384 =
  'b26e7d28d11a50bc53d882bcf5fd3a1a074148bb35d3b4e4cb1c0ad9bde419cacb47ba09699646150f9fc000f3f80e12';

const LOW = fixedTPM | fixedParent | sensitiveDataOrigin | adminWithPolicy | restricted | decrypt;
const HIGH = LOW | userWithAuth;
const NONE = new Uint8Array();

/** An endorsement key as the TCG EK Credential Profile (2.5, annex B) makes it, and where its certificate lies. */
export interface EndorsementTemplate {
  readonly label: 'L-1' | 'L-2' | 'H-1' | 'H-2' | 'H-3';
  /** NV index of the certificate. */
  readonly certificateIndex: number;
  /** NV indexes at which a TPM maker may have put a nonce and a template of his own (low range only). */
  readonly nonceIndex: number | null;
  readonly templateIndex: number | null;
  /** TPMT_PUBLIC */
  readonly template: Bytes;
}

export const ENDORSEMENT_TEMPLATES: readonly EndorsementTemplate[] = [
  high('H-3', 0x01c00016, ecc(TPM_ALG.SHA384, HIGH, POLICY_B_SHA384, 256, TPM_ECC_NIST_P384, NONE)),
  high('H-2', 0x01c00014, ecc(TPM_ALG.SHA256, HIGH, POLICY_B_SHA256, 128, TPM_ECC_NIST_P256, NONE)),
  low('L-2', 0x01c0000a, ecc(TPM_ALG.SHA256, LOW, POLICY_A_SHA256, 128, TPM_ECC_NIST_P256, new Uint8Array(32))),
  high('H-1', 0x01c00012, rsa2048(HIGH, POLICY_B_SHA256, NONE)),
  low('L-1', 0x01c00002, rsa2048(LOW, POLICY_A_SHA256, new Uint8Array(256))),
];

/** Where a TPM maker may have put the certificates between the endorsement key's and his root (the same, section 2.2.1.5.2). */
export const CERTIFICATE_CHAIN_INDEXES = { first: 0x01c00100, last: 0x01c001ff } as const;

export type EndorsementKey = {
  readonly name: Bytes;
  readonly nameHash: TpmHash;
  /** AES key bits of the wrapping. */
  readonly symmetricBits: number;
  /** TPM2_ActivateCredential is open to the empty authValue; else it wants PolicySecret(endorsement). */
  readonly userWithAuth: boolean;
} & (
  | { readonly kind: 'rsa'; readonly modulus: Bytes; readonly exponent: number }
  | { readonly kind: 'ecc'; readonly curve: 'prime256v1' | 'secp384r1'; readonly x: Bytes; readonly y: Bytes }
);

/**
 * Takes a TPM2B_PUBLIC as an endorsement key; the caller holds it against the certificate, which alone makes it one.
 * Throws `evidence-malformed`, `ek-not-allowed`.
 */
export function parseEndorsementKey(tpm2bPublic: Bytes): EndorsementKey {
  const area = parsePublic(tpm2bPublic, 'evidence-malformed');
  if (area.kind === 'keyed-hash') throw notAllowed('it must be an RSA or ECC key');
  const nameHash = HASHES[area.nameAlg];
  if (nameHash === undefined) throw notAllowed('its nameAlg must be SHA-256 or SHA-384');
  const must = fixedTPM | fixedParent | sensitiveDataOrigin | restricted | decrypt;
  if ((area.attributes & must) !== must || (area.attributes & sign) !== 0) {
    throw notAllowed('it must be a restricted decryption key that its TPM made and that never leaves it');
  }
  const inner = area.symmetric;
  if (inner === 'none' || inner.algorithm !== TPM_ALG.AES || inner.mode !== TPM_ALG.CFB) {
    throw notAllowed('its symmetric algorithm must be AES in CFB mode');
  }
  if (inner.keyBits !== 128 && inner.keyBits !== 256) throw notAllowed('its AES key must have 128 or 256 bits');
  const common = {
    name: area.name,
    nameHash,
    symmetricBits: inner.keyBits,
    userWithAuth: (area.attributes & userWithAuth) !== 0,
  };
  if (area.kind === 'rsa') {
    if (![2048, 3072, 4096].includes(area.keyBits)) throw notAllowed('an RSA key must have 2048, 3072 or 4096 bits');
    if (area.exponent !== 65_537) throw notAllowed('an RSA key must have the exponent 65537');
    return { ...common, kind: 'rsa', modulus: area.modulus, exponent: area.exponent };
  }
  const curve = CURVES[area.curve];
  if (curve === undefined) throw notAllowed('its curve must be P-256 or P-384');
  if (area.x.length > curve.bytes || area.y.length > curve.bytes) throw notAllowed('its point is not on the curve');
  const padded = (bytes: Bytes) => concat(new Uint8Array(curve.bytes - bytes.length), bytes);
  return { ...common, kind: 'ecc', curve: curve.name, x: padded(area.x), y: padded(area.y) };
}

const HASHES: Readonly<Record<number, TpmHash>> = { [TPM_ALG.SHA256]: 'sha256', [TPM_ALG.SHA384]: 'sha384' };
const CURVES: Readonly<Record<number, { name: 'prime256v1' | 'secp384r1'; bytes: number }>> = {
  [TPM_ECC_NIST_P256]: { name: 'prime256v1', bytes: 32 },
  [TPM_ECC_NIST_P384]: { name: 'secp384r1', bytes: 48 },
};

function notAllowed(detail: string): Error {
  return refused('ek-not-allowed', `No endorsement key: ${detail}.`);
}

function low(label: 'L-1' | 'L-2', certificateIndex: number, template: Bytes): EndorsementTemplate {
  const [nonceIndex, templateIndex] = [certificateIndex + 1, certificateIndex + 2];
  return { label, certificateIndex, nonceIndex, templateIndex, template };
}

function high(label: 'H-1' | 'H-2' | 'H-3', certificateIndex: number, template: Bytes): EndorsementTemplate {
  return { label, certificateIndex, nonceIndex: null, templateIndex: null, template };
}

function ecc(
  nameAlg: number,
  attributes: number,
  policy: string,
  aesBits: number,
  curve: number,
  unique: Bytes,
): Bytes {
  return start(TPM_ALG.ECC, nameAlg, attributes, policy, aesBits)
    .u16(curve)
    .u16(TPM_ALG.NULL)
    .sized(unique)
    .sized(unique)
    .done();
}

function rsa2048(attributes: number, policy: string, unique: Bytes): Bytes {
  return start(TPM_ALG.RSA, TPM_ALG.SHA256, attributes, policy, 128).u16(2048).u32(0).sized(unique).done();
}

function start(type: number, nameAlg: number, attributes: number, policy: string, aesBits: number): Writer {
  return new Writer()
    .u16(type)
    .u16(nameAlg)
    .u32(attributes)
    .sized(Buffer.from(policy, 'hex'))
    .u16(TPM_ALG.AES)
    .u16(aesBits)
    .u16(TPM_ALG.CFB)
    .u16(TPM_ALG.NULL);
}
