import { createPublicKey, type KeyObject } from 'node:crypto';
import { CARD_KEY_ATTRIBUTES, OBJECT_ATTRIBUTE, TPM_ALG } from '../tpm/constants.ts';
import { sha256 } from '../tpm/hashing.ts';
import { type PublicArea, parsePublic } from '../tpm/public-area.ts';
import { parseStoragePublic } from '../tpm/storage-parent.ts';
import { type Bytes, Reader } from '../tpm/wire.ts';
import type { AttestationKey } from './attestation-key.ts';
import { isSignedBy, parseEcdsaSignature } from './ec-signature.ts';
import { refused, same } from './refusal.ts';
import { parseCreationData, parseStatement, type Statement } from './statement.ts';

/** A TPMS_ATTEST and its TPMT_SIGNATURE. */
export interface SignedStatement {
  readonly statement: Bytes;
  readonly signature: Bytes;
}

/** What the verifier knows for itself, and never takes from the device. */
export interface Asked {
  /** The device's, proven by credential activation. */
  readonly attestationKey: AttestationKey;
  /** Given out for this, and still valid. */
  readonly nonce: Bytes;
}

/**
 * The statement, if the device's TPM made it for this nonce. Throws `evidence-malformed`, `evidence-not-by-tpm`,
 * `evidence-type-wrong`, `evidence-of-another-tpm`, `evidence-signature-invalid`, `evidence-stale`.
 */
function demandStatement<About extends Statement['about']>(
  signed: SignedStatement,
  about: About,
  asked: Asked,
): Extract<Statement, { about: About }> {
  const statement = parseStatement(signed.statement);
  if (!isAbout(statement, about)) {
    throw refused('evidence-type-wrong', `The TPM stated something of another kind (${statement.about}).`);
  }
  if (!same(statement.signer, asked.attestationKey.qualifiedName)) {
    throw refused('evidence-of-another-tpm', "It is signed by another key than this device's attestation key.");
  }
  if (!isSignedBy(asked.attestationKey.key, signed.statement, parseEcdsaSignature(signed.signature))) {
    throw refused('evidence-signature-invalid', "Its signature was not made by this device's attestation key.");
  }
  if (!same(statement.qualifyingData, asked.nonce)) {
    throw refused('evidence-stale', 'It was not made for this question: ask for a new nonce, and make it anew.');
  }
  return statement;
}

function isAbout<About extends Statement['about']>(
  statement: Statement,
  about: About,
): statement is Extract<Statement, { about: About }> {
  return statement.about === about;
}

/**
 * That the storage key, to which an administrator key will be wrapped, was made by the device's TPM and never leaves it
 * (TPM2_Certify: only a loaded object is certified, and no object that came from outside is fixedTPM). `parentPublic`:
 * TPM2B_PUBLIC. Gives its Name. Throws also `tpm-structure-malformed`, `tpm-parent-not-allowed`, `parent-name-wrong`.
 */
export function verifyParent(parentPublic: Bytes, signed: SignedStatement, asked: Asked): Bytes {
  const { name } = parseStoragePublic(parentPublic);
  if (!same(demandStatement(signed, 'object', asked).name, name)) {
    throw refused('parent-name-wrong', 'The TPM stated something about another key than the storage key.');
  }
  return name;
}

export interface KeyEvidence extends SignedStatement {
  /** TPM2B_PUBLIC of the card's key. */
  readonly public: Bytes;
  /** TPMS_CREATION_DATA */
  readonly creationData: Bytes;
}

export interface ExpectedKey {
  /** SubjectPublicKeyInfo, DER: the key that the certificate is asked for. */
  readonly publicKeyInfo: Bytes;
  /** Of the proven storage key. */
  readonly parentName: Bytes;
  /** What may open the key, and nothing else. */
  readonly policy: Bytes;
}

/**
 * That the key was made inside the device's TPM, under its storage key, and is opened by this card's PIN and nothing else
 * (TPM2_CertifyCreation). Throws what demandStatement throws, and `key-of-another-certificate` (the certificate is asked
 * for another key: a software key, say), `key-name-wrong` (the public area is not the attested one), `key-creation-wrong`,
 * `key-parent-wrong`, `key-user-with-auth`, `key-attributes-wrong`, `key-policy-wrong`.
 */
export function verifyCardKey(evidence: KeyEvidence, expected: ExpectedKey, asked: Asked): void {
  const area = parsePublic(evidence.public, 'evidence-malformed');
  if (area.nameAlg !== TPM_ALG.SHA256) throw refused('key-name-wrong', "The key's nameAlg must be SHA-256.");
  const statement = demandStatement(evidence, 'creation', asked);
  if (!same(statement.name, area.name)) {
    throw refused('key-name-wrong', 'The TPM made another key than the public area says.');
  }
  if (!same(statement.creationHash, sha256(evidence.creationData))) {
    throw refused('key-creation-wrong', 'The creation data are not those that the TPM made with the key.');
  }
  if (!same(parseCreationData(evidence.creationData).parentName, expected.parentName)) {
    throw refused('key-parent-wrong', "The key was made under another key than the device's storage key.");
  }
  if ((area.attributes & OBJECT_ATTRIBUTE.userWithAuth) !== 0) {
    throw refused('key-user-with-auth', 'The key can be used with a password of its own, without the PIN.');
  }
  if (area.attributes !== CARD_KEY_ATTRIBUTES) {
    const hex = (attributes: number) => attributes.toString(16).padStart(8, '0');
    const detail = `A card's key has the attributes ${hex(CARD_KEY_ATTRIBUTES)}, this one has ${hex(area.attributes)}.`;
    throw refused('key-attributes-wrong', detail);
  }
  if (!same(expected.policy, area.authPolicy)) {
    throw refused('key-policy-wrong', "The key is not opened by this card's PIN, or by something else as well.");
  }
  if (!same(publicKeyInfo(area), expected.publicKeyInfo)) {
    const detail = 'The certificate is asked for another key than the one that the TPM states to have made.';
    throw refused('key-of-another-certificate', detail);
  }
}

export interface ExpectedIndex {
  /** The card's PIN index, once written. */
  readonly name: Bytes;
  readonly pinLimit: number;
}

/**
 * That the card's PIN index stands in the device's TPM with its limit of tries (TPM2_NV_Certify). Gives the tries used.
 * Throws what demandStatement throws, and `index-name-wrong`, `index-counter-wrong`.
 */
export function verifyPinIndex(
  signed: SignedStatement,
  expected: ExpectedIndex,
  asked: Asked,
): { readonly pinCount: number } {
  const statement = demandStatement(signed, 'nv', asked);
  if (!same(statement.indexName, expected.name)) {
    throw refused('index-name-wrong', "The TPM stated something about another index than the card's.");
  }
  const wrong = (detail: string) => refused('index-counter-wrong', detail);
  if (statement.offset !== 0 || statement.contents.length !== 8) throw wrong('The whole counter must be certified.');
  const reader = new Reader(statement.contents, 'evidence-malformed');
  const [pinCount, pinLimit] = [reader.u32('pinCount'), reader.u32('pinLimit')];
  if (pinLimit !== expected.pinLimit) {
    throw wrong(`The card allows ${pinLimit} wrong PINs, and should allow ${expected.pinLimit}.`);
  }
  return { pinCount };
}

/** SubjectPublicKeyInfo, DER, in the one form that OpenSSL writes. Throws `key-attributes-wrong` for what is no card key. */
function publicKeyInfo(area: PublicArea): Bytes {
  try {
    return new Uint8Array(keyOf(area).export({ type: 'spki', format: 'der' }));
  } catch (cause) {
    throw refused('key-attributes-wrong', 'A card key is RSA, or ECC on P-256, P-384 or P-521.', cause);
  }
}

const CURVES: Readonly<Record<number, { crv: string; bytes: number }>> = {
  3: { crv: 'P-256', bytes: 32 },
  4: { crv: 'P-384', bytes: 48 },
  5: { crv: 'P-521', bytes: 66 },
};

function keyOf(area: PublicArea): KeyObject {
  const base64url = (bytes: Bytes) => Buffer.from(bytes).toString('base64url');
  if (area.kind === 'rsa') {
    const e = base64url(Buffer.from(area.exponent.toString(16).padStart(6, '0'), 'hex'));
    return createPublicKey({ format: 'jwk', key: { kty: 'RSA', n: base64url(area.modulus), e } });
  }
  const curve = area.kind === 'ecc' ? CURVES[area.curve] : undefined;
  if (area.kind !== 'ecc' || curve === undefined) throw new RangeError('no key of a card');
  const padded = (bytes: Bytes) => {
    if (bytes.length > curve.bytes) throw new RangeError('a coordinate is too long');
    return base64url(Buffer.concat([new Uint8Array(curve.bytes - bytes.length), bytes]));
  };
  const { crv } = curve;
  return createPublicKey({ format: 'jwk', key: { kty: 'EC', crv, x: padded(area.x), y: padded(area.y) } });
}
