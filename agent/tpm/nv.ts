import {
  type Bytes,
  type NvPublic,
  nvName,
  parseNvPublic,
  TPM_ALG,
  TPM_CC,
  TPM_RH,
  u32,
  Writer,
} from '@cardwright/protocol/tpm';
import type { Authorizer } from './authorization.ts';
import type { Entity } from './command.ts';
import { isRefusal, RC } from './response-code.ts';
import type { Tpm } from './tpm.ts';

const OWNER: Entity = { handle: TPM_RH.OWNER, name: u32(TPM_RH.OWNER) };

/** `owner` proves the owner's authValue and hides the index's new authValue on its way. */
export async function defineSpace(tpm: Tpm, owner: Authorizer, authValue: Bytes, nvPublic: Bytes): Promise<void> {
  const parameters = new Writer().sized(authValue).sized(nvPublic).done();
  await tpm.run({ code: TPM_CC.NV_DefineSpace, handles: [OWNER], authorizers: [owner], parameters });
}

export async function undefineSpace(tpm: Tpm, owner: Authorizer, index: Entity): Promise<void> {
  await tpm.run({ code: TPM_CC.NV_UndefineSpace, handles: [OWNER, index], authorizers: [owner] });
}

export interface FoundIndex extends NvPublic {
  readonly name: Bytes;
}

/** What is defined at an index, or undefined. The Name is our own calculation. */
export async function readNvPublic(tpm: Tpm, nvIndex: number): Promise<FoundIndex | undefined> {
  try {
    const handles = [{ handle: nvIndex, name: new Uint8Array() }];
    const { parameters } = await tpm.run({ code: TPM_CC.NV_ReadPublic, handles });
    const found = parseNvPublic(parameters.sized(256, 'nvPublic'), 'tpm-response-malformed');
    return { ...found, name: found.nameAlg === TPM_ALG.SHA256 ? nvName(found) : new Uint8Array() };
  } catch (error) {
    if (isRefusal(error, RC.HANDLE)) return undefined;
    throw error;
  }
}

export async function readNv(tpm: Tpm, index: Entity, authorizer: Authorizer, bytes: number): Promise<Bytes> {
  const parameters = new Writer().u16(bytes).u16(0).done();
  const handles = [index, index];
  const response = await tpm.run({ code: TPM_CC.NV_Read, handles, authorizers: [authorizer], parameters });
  return response.parameters.sized(bytes, 'data');
}

export async function writeNv(tpm: Tpm, index: Entity, authorizer: Authorizer, data: Bytes): Promise<void> {
  const parameters = new Writer().sized(data).u16(0).done();
  await tpm.run({ code: TPM_CC.NV_Write, handles: [index, index], authorizers: [authorizer], parameters });
}

/** `policy` authorises, `hiding` enciphers the new authValue. */
export async function changeNvAuth(
  tpm: Tpm,
  index: Entity,
  policy: Authorizer,
  hiding: Authorizer,
  authValue: Bytes,
): Promise<void> {
  const parameters = new Writer().sized(authValue).done();
  await tpm.run({ code: TPM_CC.NV_ChangeAuth, handles: [index], authorizers: [policy, hiding], parameters });
}
