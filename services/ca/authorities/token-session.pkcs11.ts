import { readFileSync, statSync } from 'node:fs';
import pkcs11 from 'pkcs11js';
import type { TokenFailure, TokenPlace } from './token.ts';

/** Runs within the token's thread: every call here is synchronous. */
export interface TokenSession {
  /** With an open, signed-in session; once more with a new one if it was lost. */
  with<T>(work: (library: pkcs11.PKCS11, session: Buffer) => T): T;
}

export class TokenRefusal extends Error {
  readonly failure: TokenFailure;

  constructor(code: TokenFailure['code'], detail: string) {
    super(detail);
    this.failure = { code, detail };
  }
}

/** Of PKCS#11 v2.40, pkcs11t.h: a new session may help. */
const LOST = new Set([
  ...[pkcs11.CKR_SLOT_ID_INVALID, pkcs11.CKR_DEVICE_ERROR, pkcs11.CKR_DEVICE_MEMORY, pkcs11.CKR_DEVICE_REMOVED],
  ...[pkcs11.CKR_KEY_HANDLE_INVALID, pkcs11.CKR_OBJECT_HANDLE_INVALID, pkcs11.CKR_OPERATION_ACTIVE],
  ...[pkcs11.CKR_SESSION_CLOSED, pkcs11.CKR_SESSION_HANDLE_INVALID, pkcs11.CKR_USER_NOT_LOGGED_IN],
  ...[pkcs11.CKR_TOKEN_NOT_PRESENT, pkcs11.CKR_TOKEN_NOT_RECOGNIZED, pkcs11.CKR_CRYPTOKI_NOT_INITIALIZED],
]);
const PIN = new Set([
  ...[pkcs11.CKR_PIN_INCORRECT, pkcs11.CKR_PIN_INVALID, pkcs11.CKR_PIN_LEN_RANGE],
  ...[pkcs11.CKR_PIN_EXPIRED, pkcs11.CKR_PIN_LOCKED],
]);

/** Only the function's and the code's name of what a token says. */
export function failureOf(error: unknown): TokenFailure {
  if (error instanceof TokenRefusal) return error.failure;
  const { message, method } = error as { message?: string; method?: string };
  const code = codeOf(error);
  const kind = PIN.has(code) ? 'token-pin-refused' : LOST.has(code) ? 'token-away' : 'token-failed';
  return { code: kind, detail: `${method ?? 'the module'}: ${message ?? 'unknown'}` };
}

/** Opens at the first use. */
export function openTokenSession(place: TokenPlace): TokenSession {
  let library: pkcs11.PKCS11 | null = null;
  let session: Buffer | null = null;

  function open(): { library: pkcs11.PKCS11; session: Buffer } {
    library ??= loaded(place.module);
    if (session !== null) return { library, session };
    try {
      library.C_Initialize({ flags: pkcs11.CKF_OS_LOCKING_OK });
    } catch (error) {
      if (codeOf(error) !== pkcs11.CKR_CRYPTOKI_ALREADY_INITIALIZED) throw error;
    }
    const module = library;
    const slot = module.C_GetSlotList(true).find((each) => labelOf(module, each) === place.label);
    if (slot === undefined) throw new TokenRefusal('token-away', `no token with the label ${place.label} is there`);
    const opened = module.C_OpenSession(slot, pkcs11.CKF_SERIAL_SESSION | pkcs11.CKF_RW_SESSION);
    try {
      // Tried once: a token locks itself after a few wrong PINs.
      module.C_Login(opened, pkcs11.CKU_USER, readPin(place.pinFile));
    } catch (error) {
      if (codeOf(error) !== pkcs11.CKR_USER_ALREADY_LOGGED_IN) {
        module.C_CloseSession(opened);
        throw error;
      }
    }
    session = opened;
    return { library: module, session: opened };
  }

  /** A token that was taken out and put back is a new one to many libraries: all is begun anew. */
  function drop(): void {
    session = null;
    try {
      library?.C_Finalize();
    } catch {
      // Not initialised any more: the next open() does it.
    }
  }

  return {
    with(work) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          const opened = open();
          return work(opened.library, opened.session);
        } catch (error) {
          const lost = LOST.has(codeOf(error)) || failureOf(error).code === 'token-away';
          if (lost) drop();
          if (!lost || attempt === 2) throw error;
        }
      }
    },
  };
}

function loaded(module: string): pkcs11.PKCS11 {
  const library = new pkcs11.PKCS11();
  try {
    library.load(module);
    return library;
  } catch (error) {
    throw new TokenRefusal('token-failed', `${module} can't be loaded: ${(error as Error).message}`);
  }
}

function codeOf(error: unknown): number {
  const { code } = error as { code?: unknown };
  return typeof code === 'number' ? code : -1;
}

function labelOf(library: pkcs11.PKCS11, slot: Buffer): string | undefined {
  try {
    return library.C_GetTokenInfo(slot).label.trimEnd();
  } catch {
    return undefined;
  }
}

/** The file but its last line end. The library wants a string, which can't be wiped. */
function readPin(path: string): string {
  try {
    if ((statSync(path).mode & 0o077) !== 0) throw new TokenRefusal('token-pin-refused', `${path} is for others too`);
    const pin = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
    if (pin.length >= 1 && pin.length <= 255) return pin;
  } catch (error) {
    if (error instanceof TokenRefusal) throw error;
    throw new TokenRefusal('token-pin-refused', `${path} can't be read: ${(error as Error).message}`);
  }
  throw new TokenRefusal('token-pin-refused', `${path} must hold the PIN, in one line`);
}
