import type { Bytes } from '@cardwright/protocol/tpm';

/** Something of ours that reads bytes of others, and well-formed bytes to damage. */
export interface FuzzedParser {
  parse(input: Bytes): unknown;
  readonly samples: readonly Bytes[];
}
