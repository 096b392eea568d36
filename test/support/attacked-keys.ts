import { certificationRequest, certificationRequestInfo, openTpm, type TextEvidence } from '@cardwright/agent';
import { ATTESTATION_KEY_TEMPLATE, parseEcdsaSignature, TPM_RH_ENDORSEMENT } from '@cardwright/protocol/attestation';
import {
  CARD_KEY_ATTRIBUTES,
  EMPTY_POLICY,
  parsePublicArea,
  policyCommandCode,
  sized,
  TPM_ALG,
  TPM_CC,
  TPM_ECC_NIST_P256,
  TPM_RH,
  Writer,
} from '@cardwright/protocol/tpm';
import { ecPublicKeyInfo } from '../../agent/dist/card/spki.js';
import {
  certifyCreation,
  createObject,
  createPrimary,
  EMPTY_AUTH,
  type Entity,
  PolicySession,
  StorageRoots,
  sign,
  type Tpm,
  withLoaded,
} from '../../agent/dist/tpm/index.js';

type Bytes = Uint8Array;

const NONE = new Uint8Array();
const USER_WITH_AUTH = 0x40;
/** Storage key attributes of the TCG's template, and as a sibling made from another unique field. */
const STORAGE = 0x00030472;

export interface MadeKey {
  /** A certification request that this key signed. */
  readonly csr: Bytes;
  readonly proof: TextEvidence['key'];
}

/** Keys that the TPM made, each wrong in one way, with what it states of them. */
export async function madeKeys(tcti: string, nonce: Bytes, commonName: string) {
  const tpm = await openTpm(tcti);
  const roots = new StorageRoots(tpm);
  try {
    const root = await roots.current();
    const signing = policyCommandCode(EMPTY_POLICY, TPM_CC.Sign);
    const withAuth = await make(tpm, root, keyArea(CARD_KEY_ATTRIBUTES | USER_WITH_AUTH, NONE), nonce, commonName);
    const otherPolicy = await make(tpm, root, keyArea(CARD_KEY_ATTRIBUTES, signing), nonce, commonName);
    await roots.release();
    const sibling = await createPrimary(tpm, TPM_RH.OWNER, siblingTemplate());
    const open = keyArea(CARD_KEY_ATTRIBUTES | USER_WITH_AUTH, NONE);
    const otherParent = await make(tpm, sibling, open, nonce, commonName);
    await tpm.flush(sibling.handle);
    return { withAuth, otherPolicy, otherParent };
  } finally {
    await roots.release();
    await tpm.close();
  }
}

async function make(tpm: Tpm, parent: Entity, template: Bytes, nonce: Bytes, commonName: string): Promise<MadeKey> {
  const made = await createObject(tpm, parent, template);
  const area = parsePublicArea(made.publicArea);
  if (area.kind !== 'ecc') throw new Error('an ECC key was asked for');
  const { info, digest } = certificationRequestInfo(ecPublicKeyInfo('P-256', area.x, area.y), commonName, 'ec-p256');
  const signed = await withLoaded(tpm, parent, made, (key) => signDigest(tpm, key, area.authPolicy.length > 0, digest));
  const identity = await createPrimary(tpm, TPM_RH_ENDORSEMENT, ATTESTATION_KEY_TEMPLATE);
  const { statement, signature } = await withLoaded(tpm, parent, made, (key) =>
    certifyCreation(tpm, key, identity, made.creation, nonce),
  );
  await tpm.flush(identity.handle);
  const text = (value: Bytes) => Buffer.from(value).toString('base64');
  return {
    csr: certificationRequest(info, 'ec-p256', derOf(parseEcdsaSignature(signed))),
    proof: {
      public: text(sized(made.publicArea)),
      creationData: text(made.creation.data),
      statement: text(statement),
      signature: text(signature),
    },
  };
}

async function signDigest(tpm: Tpm, key: Entity, byPolicy: boolean, digest: Bytes): Promise<Bytes> {
  const scheme = { algorithm: TPM_ALG.ECDSA, hash: TPM_ALG.SHA256 };
  if (!byPolicy) return (await sign(tpm, key, EMPTY_AUTH, digest, scheme)).rest();
  return PolicySession.during(tpm, async (session) => {
    await session.commandCode(TPM_CC.Sign);
    return (await sign(tpm, key, session.spending(), digest, scheme)).rest();
  });
}

function keyArea(attributes: number, policy: Bytes): Bytes {
  return area(attributes, policy)
    .u16(TPM_ALG.NULL)
    .u16(TPM_ALG.NULL)
    .u16(TPM_ECC_NIST_P256)
    .u16(TPM_ALG.NULL)
    .sized(NONE)
    .sized(NONE)
    .done();
}

function siblingTemplate(): Bytes {
  return area(STORAGE, NONE)
    .u16(TPM_ALG.AES)
    .u16(128)
    .u16(TPM_ALG.CFB)
    .u16(TPM_ALG.NULL)
    .u16(TPM_ECC_NIST_P256)
    .u16(TPM_ALG.NULL)
    .sized(new Uint8Array(32).fill(7))
    .sized(new Uint8Array(32).fill(7))
    .done();
}

const area = (attributes: number, policy: Bytes) =>
  new Writer().u16(TPM_ALG.ECC).u16(TPM_ALG.SHA256).u32(attributes).sized(policy);

/** Ecdsa-Sig-Value of r and s, 32 bytes each. */
function derOf(rs: Bytes): Bytes {
  const integer = (bytes: Bytes) => {
    const digits = Buffer.from(bytes.subarray(bytes.findIndex((byte) => byte !== 0)));
    const body = ((digits[0] ?? 0) & 0x80) === 0 ? digits : Buffer.concat([Buffer.of(0), digits]);
    return Buffer.concat([Buffer.of(0x02, body.length), body]);
  };
  const both = Buffer.concat([integer(rs.subarray(0, 32)), integer(rs.subarray(32))]);
  return new Uint8Array(Buffer.concat([Buffer.of(0x30, both.length), both]));
}
