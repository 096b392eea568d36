import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { CARD_KEY_ATTRIBUTES, TPM_ALG, TPM_ECC_NIST_P256 } from '../tpm/constants.ts';
import { objectName } from '../tpm/names.ts';
import { type Bytes, concat, sized, u16, u32, Writer } from '../tpm/wire.ts';
import { ATTESTATION_KEY_ATTRIBUTES, parseAttestationKey } from './attestation-key.ts';
import { type KeyEvidence, verifyCardKey, verifyParent, verifyPinIndex } from './card-evidence.ts';
import { INDEX_NAME, KEY_POLICY, NONCE, RECORDED } from './fixtures/recorded.ts';
import { attestationArea, creation, Forger, pointOf } from './testing/forger.ts';

const hex = (bytes: Bytes) => Buffer.from(bytes).toString('hex');
const code = (wanted: string) => expect.objectContaining({ code: wanted, kind: 'unprocessable' });
const recordedAsk = { attestationKey: parseAttestationKey(RECORDED.attestationKey), nonce: NONCE };
const parentName = objectName(RECORDED.storageKey.subarray(2));

function spkiOf(point: { x: Bytes; y: Bytes }): Bytes {
  const base64url = (bytes: Bytes) => Buffer.from(bytes).toString('base64url');
  const key = { kty: 'EC', crv: 'P-256', x: base64url(point.x), y: base64url(point.y) };
  return new Uint8Array(createPublicKey({ format: 'jwk', key }).export({ type: 'spki', format: 'der' }));
}

describe('what tpm2-tools had a TPM state', () => {
  const evidence: KeyEvidence = {
    public: RECORDED.key,
    creationData: RECORDED.keyCreationData,
    statement: RECORDED.keyStatement,
    signature: RECORDED.keySignature,
  };
  const point = { x: RECORDED.key.slice(54, 86), y: RECORDED.key.slice(88, 120) };
  const expected = { publicKeyInfo: spkiOf(point), parentName, policy: KEY_POLICY };

  it('of a key’s creation is accepted', () => {
    expect(() => verifyCardKey(evidence, expected, recordedAsk)).not.toThrow();
  });

  it('of an index is accepted', () => {
    const signed = { statement: RECORDED.indexStatement, signature: RECORDED.indexSignature };
    expect(verifyPinIndex(signed, { name: INDEX_NAME, pinLimit: 5 }, recordedAsk)).toEqual({ pinCount: 1 });
  });

  it('names its signer as we compute it', () => {
    expect(hex(recordedAsk.attestationKey.qualifiedName)).toBe(hex(RECORDED.attestationKeyQualifiedName));
  });

  it('is refused with any one bit changed', () => {
    for (let at = 0; at < evidence.statement.length; at++) {
      const statement = evidence.statement.slice();
      statement[at] = (statement[at] ?? 0) ^ 0x01;
      expect(() => verifyCardKey({ ...evidence, statement }, expected, recordedAsk), `byte ${at}`).toThrow();
    }
    const signature = evidence.signature.slice();
    signature[20] = (signature[20] ?? 0) ^ 0x01;
    expect(() => verifyCardKey({ ...evidence, signature }, expected, recordedAsk)).toThrow(
      code('evidence-signature-invalid'),
    );
  });
});

describe('evidence is refused by its own code', () => {
  const tpm = new Forger();
  const asked = { attestationKey: tpm.attestationKey, nonce: NONCE };
  const point = pointOf(generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).publicKey);
  const policy = KEY_POLICY;
  const expected = { publicKeyInfo: spkiOf(point), parentName, policy };
  const area = (attributes = CARD_KEY_ATTRIBUTES, authPolicy = policy) =>
    new Writer()
      .u16(TPM_ALG.ECC)
      .u16(TPM_ALG.SHA256)
      .u32(attributes)
      .sized(authPolicy)
      .u16(TPM_ALG.NULL)
      .u16(TPM_ALG.NULL)
      .u16(TPM_ECC_NIST_P256)
      .u16(TPM_ALG.NULL)
      .sized(point.x)
      .sized(point.y)
      .done();
  const good = tpm.madeKey(area(), parentName, NONCE);
  const verify = (evidence: KeyEvidence, expectation = expected) => verifyCardKey(evidence, expectation, asked);

  it('(and accepted when nothing is wrong)', () => {
    expect(() => verify(good)).not.toThrow();
  });

  it('a software key claimed as a TPM key: the certificate is asked for another key', () => {
    const software = pointOf(generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).publicKey);
    const claim = { ...expected, publicKeyInfo: spkiOf(software) };
    expect(() => verify(good, claim)).toThrow(code('key-of-another-certificate'));
  });

  it('a software key claimed as a TPM key: the public area is not the one attested', () => {
    const other = area().slice();
    other[other.length - 1] = (other.at(-1) ?? 0) ^ 1;
    expect(() => verify({ ...good, public: sized(other) })).toThrow(code('key-name-wrong'));
  });

  it('a key with userWithAuth set', () => {
    expect(() => verify(tpm.madeKey(area(CARD_KEY_ATTRIBUTES | 0x40), parentName, NONCE))).toThrow(
      code('key-user-with-auth'),
    );
  });

  it.each([
    ['not fixed to its TPM', CARD_KEY_ATTRIBUTES & ~0x02],
    ['not fixed to its parent', CARD_KEY_ATTRIBUTES & ~0x10],
    ['made outside', CARD_KEY_ATTRIBUTES & ~0x20],
    ['restricted', CARD_KEY_ATTRIBUTES | 0x10000],
  ])('a key that is %s', (_, attributes) => {
    expect(() => verify(tpm.madeKey(area(attributes), parentName, NONCE))).toThrow(code('key-attributes-wrong'));
  });

  it('a key with another policy, or with none', () => {
    const other = new Uint8Array(32).fill(0x22);
    for (const wrong of [other, new Uint8Array(32), new Uint8Array()]) {
      const evidence = tpm.madeKey(area(CARD_KEY_ATTRIBUTES, wrong), parentName, NONCE);
      expect(() => verify(evidence)).toThrow(code('key-policy-wrong'));
    }
  });

  it('a key under another parent', () => {
    const other = objectName(new Uint8Array(4));
    expect(() => verify(tpm.madeKey(area(), other, NONCE))).toThrow(code('key-parent-wrong'));
  });

  it('creation data of another key', () => {
    const creationData = creation(objectName(new Uint8Array(5)));
    expect(() => verify({ ...good, creationData })).toThrow(code('key-creation-wrong'));
  });

  it('a stale nonce', () => {
    const stale = tpm.madeKey(area(), parentName, new Uint8Array(32));
    expect(() => verify(stale)).toThrow(code('evidence-stale'));
  });

  it('signed by the attestation key of another TPM', () => {
    const other = new Forger();
    expect(() => verify(other.madeKey(area(), parentName, NONCE))).toThrow(code('evidence-of-another-tpm'));
    // Saying that it is ours does not help: the signature is another's.
    const { statement } = good;
    expect(() => verify({ ...good, signature: other.sign(statement) })).toThrow(code('evidence-signature-invalid'));
  });

  it('no TPM’s statement at all', () => {
    const statement = good.statement.slice();
    statement[0] = 0x7b; // as a JSON text begins: what a restricted key may sign for others
    expect(() => verify({ ...good, statement, signature: tpm.sign(statement) })).toThrow(code('evidence-not-by-tpm'));
  });

  it('a statement of another kind', () => {
    const quote = tpm.state(0x8018, NONCE, new Uint8Array(6));
    expect(() => verify({ ...good, ...quote })).toThrow(code('evidence-type-wrong'));
    const name = objectName(area());
    const certified = tpm.state(0x8017, NONCE, concat(sized(name), sized(name)));
    expect(() => verify({ ...good, ...certified })).toThrow(code('evidence-type-wrong'));
  });

  it('another signature scheme', () => {
    const signature = good.signature.slice();
    signature[1] = 0x14; // RSASSA
    expect(() => verify({ ...good, signature })).toThrow(code('evidence-signature-invalid'));
  });

  it('a storage key that the TPM said nothing of', () => {
    const other = objectName(area());
    const signed = tpm.state(0x8017, NONCE, concat(sized(other), sized(other)));
    expect(() => verifyParent(RECORDED.storageKey, signed, asked)).toThrow(code('parent-name-wrong'));
    const right = tpm.state(0x8017, NONCE, concat(sized(parentName), sized(parentName)));
    expect(hex(verifyParent(RECORDED.storageKey, right, asked))).toBe(hex(parentName));
    expect(() => verifyParent(sized(area()), right, asked)).toThrow(code('tpm-parent-not-allowed'));
  });

  it('another index, another limit, half a counter', () => {
    const index = { name: INDEX_NAME, pinLimit: 5 };
    const counter = (name: Bytes, contents: Bytes, offset = 0) =>
      tpm.state(0x8014, NONCE, concat(sized(name), u16(offset), sized(contents)));
    const verifyIndex = (signed: ReturnType<typeof counter>) => verifyPinIndex(signed, index, asked);
    const contents = concat(u32(2), u32(5));
    expect(verifyIndex(counter(INDEX_NAME, contents))).toEqual({ pinCount: 2 });
    expect(() => verifyIndex(counter(parentName, contents))).toThrow(code('index-name-wrong'));
    const many = concat(u32(2), u32(1000));
    expect(() => verifyIndex(counter(INDEX_NAME, many))).toThrow(code('index-counter-wrong'));
    expect(() => verifyIndex(counter(INDEX_NAME, contents.slice(4)))).toThrow(code('index-counter-wrong'));
    expect(() => verifyIndex(counter(INDEX_NAME, contents, 4))).toThrow(code('index-counter-wrong'));
  });

  it('an attestation key that could sign anything, or be taken elsewhere', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    for (const bit of [0x10000, 0x02, 0x10, 0x20]) {
      const wrong = attestationArea(publicKey, ATTESTATION_KEY_ATTRIBUTES & ~bit);
      expect(() => parseAttestationKey(sized(wrong))).toThrow(code('ak-not-allowed'));
    }
    const offCurve = attestationArea(publicKey, ATTESTATION_KEY_ATTRIBUTES).slice();
    offCurve[offCurve.length - 1] = (offCurve.at(-1) ?? 0) ^ 1;
    expect(() => parseAttestationKey(sized(offCurve))).toThrow(code('ak-not-allowed'));
  });
});
