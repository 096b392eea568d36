import { DomainError } from '@cardwright/protocol';
import { type Bytes, concat, parsePublicArea, Reader, sized } from '@cardwright/protocol/tpm';
import type { StoredObject } from '../../tpm/index.ts';

/** `CWK` and the version of what follows: TPM2B_PUBLIC and TPM2B_PRIVATE. */
const MAGIC = Uint8Array.of(0x43, 0x57, 0x4b, 0x01);
const CODE = 'key-blob-malformed';

/** A key as the caller stores it. */
export function encodeStored(object: StoredObject): Bytes {
  return concat(MAGIC, sized(object.publicArea), sized(object.privateArea));
}

/** Throws `key-blob-malformed`. */
export function decodeStored(blob: Bytes): StoredObject & { readonly parsed: ReturnType<typeof parsePublicArea> } {
  const reader = new Reader(blob, CODE);
  if (!Buffer.from(reader.bytes(MAGIC.length, 'magic')).equals(MAGIC)) {
    throw new DomainError('unprocessable', CODE, 'This is not a key that this version of the agent stored.');
  }
  const publicArea = reader.sized(700, 'public area');
  const privateArea = reader.sized(2048, 'private area');
  reader.end();
  return { publicArea, privateArea, parsed: parsePublicArea(publicArea, CODE) };
}
