import { type Bytes, objectName, Reader, TPM_ALG, TPM_CC, TPM_RH, u32, Writer } from '@cardwright/protocol/tpm';
import { type Authorizer, EMPTY_AUTH } from './authorization.ts';
import type { Entity } from './command.ts';
import type { Ticket } from './policy-session.ts';
import type { Tpm } from './tpm.ts';
import { malformed } from './transport-errors.ts';

const NONE = new Uint8Array();
/** RSA keys are searched for: hardware TPMs may take minutes. */
const MAKING_TIMEOUT_MS = 300_000;
const MAX_PUBLIC_BYTES = 700;
const MAX_PRIVATE_BYTES = 2048;
const MAX_CREATION_BYTES = 512;

/** A key as it is stored outside the TPM: only its parent can load it again. */
export interface StoredObject {
  /** TPMT_PUBLIC */
  readonly publicArea: Bytes;
  /** The bytes of TPM2B_PRIVATE */
  readonly privateArea: Bytes;
}

/** What the TPM says of the making of an object; with it TPM2_CertifyCreation states it again, at any time. */
export interface Creation {
  /** TPMS_CREATION_DATA */
  readonly data: Bytes;
  /** TPMT_TK_CREATION */
  readonly ticket: Bytes;
}

export interface Loaded extends Entity {
  readonly publicArea: Bytes;
}

/** A primary key of the owner's hierarchy, from the template alone: the same each time. */
export async function createOwnerPrimary(tpm: Tpm, template: Bytes): Promise<Loaded> {
  return createPrimary(tpm, TPM_RH.OWNER, template);
}

/** The same of any hierarchy whose authValue is empty. */
export async function createPrimary(tpm: Tpm, hierarchy: number, template: Bytes): Promise<Loaded> {
  const { handle, parameters } = await tpm.run({
    code: TPM_CC.CreatePrimary,
    handles: [{ handle: hierarchy, name: u32(hierarchy) }],
    authorizers: [EMPTY_AUTH],
    parameters: creation(template),
    givesHandle: true,
    timeoutMs: MAKING_TIMEOUT_MS,
  });
  const publicArea = parameters.sized(MAX_PUBLIC_BYTES, 'public area');
  return { handle, name: objectName(publicArea), publicArea };
}

/** A new key under `parent`. The TPM chooses the key; its authValue is empty. */
export async function createObject(
  tpm: Tpm,
  parent: Entity,
  template: Bytes,
): Promise<StoredObject & { readonly creation: Creation }> {
  const { parameters } = await tpm.run({
    code: TPM_CC.Create,
    handles: [parent],
    authorizers: [EMPTY_AUTH],
    parameters: creation(template),
    timeoutMs: MAKING_TIMEOUT_MS,
  });
  const privateArea = parameters.sized(MAX_PRIVATE_BYTES, 'private area');
  const publicArea = parameters.sized(MAX_PUBLIC_BYTES, 'public area');
  const data = parameters.sized(MAX_CREATION_BYTES, 'creation data');
  parameters.sized(64, 'creation hash');
  return { privateArea, publicArea, creation: { data, ticket: parameters.rest() } };
}

/** TPM2_Import without an inner wrap: gives what TPM2_Load takes. All three are TPM2Bs. */
export async function importObject(
  tpm: Tpm,
  parent: Entity,
  wrapped: { readonly public: Bytes; readonly duplicate: Bytes; readonly inSymSeed: Bytes },
): Promise<StoredObject> {
  const { parameters } = await tpm.run({
    code: TPM_CC.Import,
    handles: [parent],
    authorizers: [EMPTY_AUTH],
    parameters: new Writer()
      .sized(NONE)
      .bytes(wrapped.public)
      .bytes(wrapped.duplicate)
      .bytes(wrapped.inSymSeed)
      .u16(TPM_ALG.NULL)
      .done(),
  });
  const privateArea = parameters.sized(MAX_PRIVATE_BYTES, 'private area');
  parameters.end();
  const outer = new Reader(wrapped.public);
  return { privateArea, publicArea: outer.sized(MAX_PUBLIC_BYTES, 'public area') };
}

/** Loads `object` for `work` and flushes it whatever happens: a bare TPM has room for three. */
export async function withLoaded<T>(
  tpm: Tpm,
  parent: Entity,
  object: StoredObject,
  work: (loaded: Loaded) => Promise<T>,
): Promise<T> {
  const { handle, parameters } = await tpm.run({
    code: TPM_CC.Load,
    handles: [parent],
    authorizers: [EMPTY_AUTH],
    parameters: new Writer().sized(object.privateArea).sized(object.publicArea).done(),
    givesHandle: true,
  });
  try {
    const name = objectName(object.publicArea);
    if (!Buffer.from(parameters.sized(66, 'name')).equals(name)) throw malformed('the loaded object has another Name');
    return await work({ handle, name, publicArea: object.publicArea });
  } finally {
    await tpm.flush(handle);
  }
}

/** TPMT_PUBLIC of what stands at a handle. */
export async function readPublic(tpm: Tpm, handle: number): Promise<Bytes> {
  const { parameters } = await tpm.run({ code: TPM_CC.ReadPublic, handles: [{ handle, name: NONE }] });
  return parameters.sized(MAX_PUBLIC_BYTES, 'public area');
}

/** Gives the TPMT_SIGNATURE, read up to its end by the caller. */
export async function sign(
  tpm: Tpm,
  key: Entity,
  authorizer: Authorizer,
  digest: Bytes,
  scheme: { readonly algorithm: number; readonly hash: number },
): Promise<Reader> {
  const { parameters } = await tpm.run({
    code: TPM_CC.Sign,
    handles: [key],
    authorizers: [authorizer],
    // A NULL hashcheck ticket: the key is not restricted, so it signs what was hashed outside (Part 3, TPM2_Sign).
    parameters: new Writer()
      .sized(digest)
      .u16(scheme.algorithm)
      .u16(scheme.hash)
      .u16(0x8024)
      .u32(TPM_RH.NULL)
      .sized(NONE)
      .done(),
  });
  return parameters;
}

/** The TPM's word that `key` signed `digest`; `signature` is a TPMT_SIGNATURE. */
export async function verifySignature(tpm: Tpm, key: Entity, digest: Bytes, signature: Bytes): Promise<Ticket> {
  const parameters = new Writer().sized(digest).bytes(signature).done();
  const { parameters: answer } = await tpm.run({ code: TPM_CC.VerifySignature, handles: [key], parameters });
  const [tag, hierarchy] = [answer.u16('ticket tag'), answer.u32('ticket hierarchy')];
  const mac = answer.sized(64, 'ticket digest');
  answer.end();
  return new Writer().u16(tag).u32(hierarchy).sized(mac).done();
}

/** inSensitive with an empty authValue and no data, the template, no outsideInfo, no PCRs. */
function creation(template: Bytes): Bytes {
  const sensitive = new Writer().sized(NONE).sized(NONE).done();
  return new Writer().sized(sensitive).sized(template).sized(NONE).u32(0).done();
}
