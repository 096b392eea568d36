import type { Bytes } from '@cardwright/protocol/tpm';

/** Carries whole commands to a TPM and whole responses back, one at a time. */
export interface Transport {
  /** What it speaks to, for messages: a path or an address. */
  readonly target: string;
  /**
   * True if a resource manager stands between: then what we leave in the TPM goes when the connection ends, and what
   * others left is hidden. False for a bare TPM, which has one client at a time.
   */
  readonly managed: boolean;
  /**
   * Throws `tpm-unreachable`, `tpm-timeout`, `tpm-response-cut-short` or `tpm-response-malformed`; after any of these the
   * transport is dead, since a late response could be taken for the next one's.
   */
  exchange(command: Bytes, timeoutMs: number): Promise<Bytes>;
  close(): Promise<void>;
}

/** TPM_PT_MAX_RESPONSE_SIZE of every TPM of the PC Client profile. */
export const MAX_RESPONSE_BYTES = 4096;
/** tag, responseSize, responseCode */
export const HEADER_BYTES = 10;
