import { type Bytes, sha256, TPM_ALG, TPM_CC, TPM_RH, Writer } from '@cardwright/protocol/tpm';
import { type Authorizer, EMPTY_AUTH } from './authorization.ts';
import type { Command, Entity } from './command.ts';
import type { Creation } from './objects.ts';
import type { Tpm } from './tpm.ts';

/** Commands by which a TPM states something, signed by a restricted key of its own (Part 3, section 18). */
export interface Statement {
  /** TPMS_ATTEST */
  readonly statement: Bytes;
  /** TPMT_SIGNATURE */
  readonly signature: Bytes;
}

const MAX_STATEMENT_BYTES = 1024;
/** TPM_PT_INPUT_BUFFER: what TPM2_Hash takes at once. */
const MAX_HASHED_BYTES = 1024;

/** That `object`, whose authValue is empty, is loaded in this TPM. */
export function certify(tpm: Tpm, object: Entity, signer: Entity, nonce: Bytes): Promise<Statement> {
  const parameters = new Writer().sized(nonce).u16(TPM_ALG.NULL).done();
  const authorizers = [EMPTY_AUTH, EMPTY_AUTH];
  return state(tpm, { code: TPM_CC.Certify, handles: [object, signer], authorizers, parameters });
}

/** That this TPM made `object`. Wants no authorisation of the object itself. */
export function certifyCreation(
  tpm: Tpm,
  object: Entity,
  signer: Entity,
  creation: Creation,
  nonce: Bytes,
): Promise<Statement> {
  const parameters = new Writer()
    .sized(nonce)
    .sized(sha256(creation.data))
    .u16(TPM_ALG.NULL)
    .bytes(creation.ticket)
    .done();
  const handles = [signer, object];
  return state(tpm, { code: TPM_CC.CertifyCreation, handles, authorizers: [EMPTY_AUTH], parameters });
}

/** What stands in the first `size` bytes of `index`; `reading` authorises it. */
export function certifyNv(
  tpm: Tpm,
  index: Entity,
  reading: Authorizer,
  signer: Entity,
  size: number,
  nonce: Bytes,
): Promise<Statement> {
  const parameters = new Writer().sized(nonce).u16(TPM_ALG.NULL).u16(size).u16(0).done();
  const handles = [signer, index, index];
  return state(tpm, { code: TPM_CC.NV_Certify, handles, authorizers: [EMPTY_AUTH, reading], parameters });
}

async function state(tpm: Tpm, command: Command): Promise<Statement> {
  const { parameters } = await tpm.run(command);
  const statement = parameters.sized(MAX_STATEMENT_BYTES, 'statement');
  return { statement, signature: parameters.rest() };
}

/** What is hidden in a credential, if `key` (loaded, authValue empty) is the one it was made for. `opening` authorises `by`. */
export async function activateCredential(
  tpm: Tpm,
  key: Entity,
  by: Entity,
  opening: Authorizer,
  credential: { readonly credentialBlob: Bytes; readonly secret: Bytes },
): Promise<Bytes> {
  const { parameters } = await tpm.run({
    code: TPM_CC.ActivateCredential,
    handles: [key, by],
    authorizers: [EMPTY_AUTH, opening],
    parameters: new Writer().bytes(credential.credentialBlob).bytes(credential.secret).done(),
  });
  const value = parameters.sized(64, 'credential');
  parameters.end();
  return value;
}

/**
 * Has the TPM hash `message` (at most 1024 bytes) and sign the digest with the restricted `key`. It signs only with the
 * TPM's own word that the message does not look like a statement (a TPMT_TK_HASHCHECK), which it gives for none that
 * begins with TPM_GENERATED. Gives the TPMT_SIGNATURE.
 */
export async function signHashed(tpm: Tpm, key: Entity, message: Bytes): Promise<Bytes> {
  if (message.length > MAX_HASHED_BYTES) throw new RangeError(`more than ${MAX_HASHED_BYTES} bytes to hash`);
  const hashed = await tpm.run({
    code: TPM_CC.Hash,
    parameters: new Writer().sized(message).u16(TPM_ALG.SHA256).u32(TPM_RH.OWNER).done(),
  });
  const digest = hashed.parameters.sized(64, 'digest');
  const ticket = hashed.parameters.rest();
  const { parameters } = await tpm.run({
    code: TPM_CC.Sign,
    handles: [key],
    authorizers: [EMPTY_AUTH],
    parameters: new Writer().sized(digest).u16(TPM_ALG.NULL).bytes(ticket).done(),
  });
  return parameters.rest();
}
