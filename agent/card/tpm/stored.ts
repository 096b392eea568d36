import { DomainError } from '@cardwright/protocol';
import { type Bytes, concat, parsePublicArea, Reader, sized } from '@cardwright/protocol/tpm';
import type { Creation, StoredObject } from '../../tpm/index.ts';

/** `CWK` and the version of what follows: TPM2B_PUBLIC and TPM2B_PRIVATE; in version 2 what the TPM said of the making. */
const MAGIC = [0x43, 0x57, 0x4b] as const;
const PLAIN = 1;
const WITH_CREATION = 2;
const CODE = 'key-blob-malformed';

/** A key as the caller stores it. */
export function encodeStored(object: StoredObject, creation?: Creation): Bytes {
  const version = creation === undefined ? PLAIN : WITH_CREATION;
  const areas = [Uint8Array.of(...MAGIC, version), sized(object.publicArea), sized(object.privateArea)];
  return creation === undefined ? concat(...areas) : concat(...areas, sized(creation.data), sized(creation.ticket));
}

export interface DecodedKey extends StoredObject {
  readonly parsed: ReturnType<typeof parsePublicArea>;
  /** Undefined for a key that was imported, or made before agents kept it: then its making can't be proven any more. */
  readonly creation: Creation | undefined;
}

/** Throws `key-blob-malformed`. */
export function decodeStored(blob: Bytes): DecodedKey {
  const reader = new Reader(blob, CODE);
  const magic = reader.bytes(MAGIC.length, 'magic');
  const version = reader.u8('version');
  if (!MAGIC.every((byte, at) => magic[at] === byte) || (version !== PLAIN && version !== WITH_CREATION)) {
    throw new DomainError('unprocessable', CODE, 'This is not a key that this version of the agent stored.');
  }
  const publicArea = reader.sized(700, 'public area');
  const privateArea = reader.sized(2048, 'private area');
  const creation =
    version === WITH_CREATION
      ? { data: reader.sized(512, 'creation data'), ticket: reader.sized(256, 'creation ticket') }
      : undefined;
  reader.end();
  return { publicArea, privateArea, parsed: parsePublicArea(publicArea, CODE), creation };
}
