import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { TPM_ALG, TPM_ECC_NIST_P256 } from '../../tpm/constants.ts';
import { sha256 } from '../../tpm/hashing.ts';
import { objectName } from '../../tpm/names.ts';
import { type Bytes, concat, sized, u16, u32, Writer } from '../../tpm/wire.ts';
import { ATTESTATION_KEY_ATTRIBUTES, type AttestationKey, parseAttestationKey } from '../attestation-key.ts';
import type { KeyEvidence, SignedStatement } from '../card-evidence.ts';

const NONE = new Uint8Array();

/**
 * A TPM that says whatever a test wants: what an attacker could do who had broken one. Its statements are signed by an
 * attestation key in software, so that each check after the signature can be reached.
 */
export class Forger {
  readonly attestationPublic: Bytes;
  readonly attestationKey: AttestationKey;
  readonly #privateKey: KeyObject;

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    this.#privateKey = privateKey;
    this.attestationPublic = sized(attestationArea(publicKey, ATTESTATION_KEY_ATTRIBUTES));
    this.attestationKey = parseAttestationKey(this.attestationPublic);
  }

  /** `attested`: what follows firmwareVersion. */
  state(type: number, nonce: Bytes, attested: Bytes, signer = this.attestationKey.qualifiedName): SignedStatement {
    const statement = new Writer()
      .u32(0xff544347)
      .u16(type)
      .sized(signer)
      .sized(nonce)
      .bytes(new Uint8Array(25))
      .bytes(attested)
      .done();
    return { statement, signature: this.sign(statement) };
  }

  sign(statement: Bytes): Bytes {
    const rs = new Uint8Array(sign('sha256', statement, { key: this.#privateKey, dsaEncoding: 'ieee-p1363' }));
    return concat(u16(TPM_ALG.ECDSA), u16(TPM_ALG.SHA256), sized(rs.slice(0, 32)), sized(rs.slice(32)));
  }

  /** A key "made" under `parentName`, with whatever public area. */
  madeKey(publicArea: Bytes, parentName: Bytes, nonce: Bytes): KeyEvidence {
    const creationData = creation(parentName);
    const attested = concat(sized(objectName(publicArea)), sized(sha256(creationData)));
    return { ...this.state(0x801a, nonce, attested), public: sized(publicArea), creationData };
  }
}

export function creation(parentName: Bytes): Bytes {
  return concat(
    u32(0),
    sized(NONE),
    Uint8Array.of(1),
    u16(TPM_ALG.SHA256),
    sized(parentName),
    sized(NONE),
    sized(NONE),
  );
}

export function attestationArea(publicKey: KeyObject, attributes: number): Bytes {
  const { x, y } = pointOf(publicKey);
  return new Writer()
    .u16(TPM_ALG.ECC)
    .u16(TPM_ALG.SHA256)
    .u32(attributes)
    .sized(NONE)
    .u16(TPM_ALG.NULL)
    .u16(TPM_ALG.ECDSA)
    .u16(TPM_ALG.SHA256)
    .u16(TPM_ECC_NIST_P256)
    .u16(TPM_ALG.NULL)
    .sized(x)
    .sized(y)
    .done();
}

export function pointOf(key: KeyObject): { x: Bytes; y: Bytes } {
  const { x = '', y = '' } = createPublicKey(key.export({ type: 'spki', format: 'pem' })).export({ format: 'jwk' });
  return { x: new Uint8Array(Buffer.from(x, 'base64url')), y: new Uint8Array(Buffer.from(y, 'base64url')) };
}
