import {
  type Bytes,
  concat,
  type NvPublic,
  nvName,
  parseNvPublic,
  TPM_ALG,
  TPM_CC,
  TPM_RH,
  u32,
  Writer,
} from '@cardwright/protocol/tpm';
import { type Authorizer, EMPTY_AUTH } from './authorization.ts';
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

/** TPMA_NV, Part 2 section 13.4. */
const OWNERREAD = 0x00020000;
const AUTHREAD = 0x00040000;
/** Every TPM gives as much at once (TPM_PT_NV_BUFFER_MAX is 512 at least in the PC Client profile). */
const NV_CHUNK = 512;

/**
 * All that stands in an index which anybody may read, with the empty authValue of the index or of the owner: certificates
 * that the TPM's maker put there. Undefined where there is no such index, or more than `maxBytes` in it.
 */
export async function readOpenNv(tpm: Tpm, nvIndex: number, maxBytes: number): Promise<Bytes | undefined> {
  const found = await readNvPublic(tpm, nvIndex);
  if (found === undefined || found.dataSize > maxBytes) return undefined;
  const index: Entity = { handle: nvIndex, name: found.name };
  const by = (found.attributes & AUTHREAD) !== 0 ? index : (found.attributes & OWNERREAD) !== 0 ? OWNER : undefined;
  if (by === undefined) return undefined;
  const parts: Bytes[] = [];
  for (let offset = 0; offset < found.dataSize; offset += NV_CHUNK) {
    const size = Math.min(NV_CHUNK, found.dataSize - offset);
    const parameters = new Writer().u16(size).u16(offset).done();
    const response = await tpm.run({
      code: TPM_CC.NV_Read,
      handles: [by, index],
      authorizers: [EMPTY_AUTH],
      parameters,
    });
    parts.push(response.parameters.sized(size, 'data'));
  }
  return concat(...parts);
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
