import { NV_WRITTEN, TPM_ALG } from './constants.ts';
import { sha256 } from './hashing.ts';
import { type Bytes, concat, Reader, u16, u32, Writer } from './wire.ts';

/** nameAlg and digest: 2 + 32. */
export const NAME_BYTES = 34;

/** The Name of an object: nameAlg || H(TPMT_PUBLIC) (Part 1, section 16). */
export function objectName(publicArea: Bytes): Bytes {
  return concat(u16(TPM_ALG.SHA256), sha256(publicArea));
}

/** The Name of what has no public area (hierarchies, sessions): its handle. */
export function handleName(handle: number): Bytes {
  return u32(handle);
}

export interface NvPublic {
  readonly nvIndex: number;
  readonly attributes: number;
  readonly authPolicy: Bytes;
  readonly dataSize: number;
}

/** TPMS_NV_PUBLIC with nameAlg SHA-256. */
export function encodeNvPublic(nv: NvPublic): Bytes {
  return new Writer()
    .u32(nv.nvIndex)
    .u16(TPM_ALG.SHA256)
    .u32(nv.attributes)
    .sized(nv.authPolicy)
    .u16(nv.dataSize)
    .done();
}

export function nvName(nv: NvPublic): Bytes {
  return concat(u16(TPM_ALG.SHA256), sha256(encodeNvPublic(nv)));
}

/** The same index once the TPM has marked it written. */
export function written(nv: NvPublic): NvPublic {
  return { ...nv, attributes: (nv.attributes | NV_WRITTEN) >>> 0 };
}

/** TPMS_NV_PUBLIC as a TPM sent it. Throws `tpm-structure-malformed`, or `code` if one is given. */
export function parseNvPublic(bytes: Bytes, code?: string): NvPublic & { readonly nameAlg: number } {
  const reader = new Reader(bytes, code);
  const nvIndex = reader.u32('nvIndex');
  const nameAlg = reader.u16('nameAlg');
  const attributes = reader.u32('attributes');
  const authPolicy = reader.sized(64, 'authPolicy');
  const dataSize = reader.u16('dataSize');
  reader.end();
  return { nvIndex, nameAlg, attributes, authPolicy, dataSize };
}
