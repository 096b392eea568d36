import type { Bytes } from '@cardwright/protocol/tpm';

/** TPMA_SESSION, Part 2 section 8.4. */
export const SESSION = { continue: 0x01, decrypt: 0x20, encrypt: 0x40 } as const;

/** TPM_RS_PW */
const PASSWORD_HANDLE = 0x40000009;

/** What a response said of one session. */
export interface SessionAnswer {
  readonly nonceTpm: Bytes;
  readonly attributes: number;
  readonly hmac: Bytes;
}

/** One session's part in one command. */
export interface Authorization {
  readonly handle: number;
  readonly nonceCaller: Bytes;
  readonly attributes: number;
  /** Present if this session hides the first parameter. */
  readonly encrypt?: (parameter: Bytes) => Bytes;
  hmac(cpHash: Bytes): Bytes;
  /** Present if the TPM hides the first parameter of the response; asked after `accept`, once. */
  readonly reveal?: (parameter: Bytes, answer: SessionAnswer) => Bytes;
  /** Checks the response and rolls the nonces. Throws `tpm-response-forged`. */
  accept(rpHash: Bytes, answer: SessionAnswer): void;
}

/** Begins its part when the command's turn has come: nonces roll from command to command. */
export interface Authorizer {
  begin(): Authorization;
}

const NONE = new Uint8Array();

/** Of an entity whose authValue is empty: a password session, since there is nothing to hide. */
export const EMPTY_AUTH: Authorizer = {
  begin: () => ({
    handle: PASSWORD_HANDLE,
    nonceCaller: NONE,
    attributes: SESSION.continue,
    hmac: () => NONE,
    accept: () => undefined,
  }),
};
