import { readFileSync, statSync } from 'node:fs';
import pkcs11 from 'pkcs11js';
import { isAway, isSessionLoss, TokenRefusal } from './token-failure.pkcs11.ts';

export interface TokenPlace {
  readonly module: string;
  readonly tokenLabel: string;
  readonly pinFile: string;
}

export interface TokenSession {
  /** Runs with an open, signed-in session; once more with a new one if it was lost. */
  with<T>(work: (library: pkcs11.PKCS11, session: Buffer) => T): T;
}

/** Opens at the first use. */
export function openTokenSession(place: TokenPlace): TokenSession {
  const library = new pkcs11.PKCS11();
  let loaded = false;
  let session: Buffer | undefined;

  function open(): Buffer {
    if (!loaded) {
      try {
        library.load(place.module);
      } catch (error) {
        throw new TokenRefusal('failed', `${place.module} can't be loaded: ${(error as Error).message}`);
      }
      loaded = true;
    }
    try {
      library.C_Initialize({ flags: pkcs11.CKF_OS_LOCKING_OK });
    } catch (error) {
      if ((error as { code?: number }).code !== pkcs11.CKR_CRYPTOKI_ALREADY_INITIALIZED) throw error;
    }
    const slot = library.C_GetSlotList(true).find((each) => labelOf(library, each) === place.tokenLabel);
    if (slot === undefined) throw new TokenRefusal('away', `no token with the label ${place.tokenLabel} is there`);
    const opened = library.C_OpenSession(slot, pkcs11.CKF_SERIAL_SESSION | pkcs11.CKF_RW_SESSION);
    try {
      // Tried once: a token locks itself after a few wrong PINs.
      library.C_Login(opened, pkcs11.CKU_USER, readPin(place.pinFile));
    } catch (error) {
      if ((error as { code?: number }).code !== pkcs11.CKR_USER_ALREADY_LOGGED_IN) {
        library.C_CloseSession(opened);
        throw error;
      }
    }
    return opened;
  }

  function drop(error: unknown): void {
    const lost = session;
    session = undefined;
    try {
      if (lost !== undefined) library.C_CloseSession(lost);
    } catch {
      // It was lost: that is why.
    }
    if (!isAway(error)) return;
    try {
      // A token that was taken out and put back is a new one to many libraries.
      library.C_Finalize();
    } catch {
      // Not initialised any more: the next open() does it.
    }
  }

  return {
    with(work) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          session ??= open();
          return work(library, session);
        } catch (error) {
          const lost = isSessionLoss(error) || isAway(error);
          if (lost) drop(error);
          if (!lost || attempt === 2) throw error;
        }
      }
    },
  };
}

function labelOf(library: pkcs11.PKCS11, slot: Buffer): string | undefined {
  try {
    return library.C_GetTokenInfo(slot).label.trimEnd();
  } catch {
    return undefined;
  }
}

/** The whole file but its last line end. The library wants a string, which can't be wiped. */
function readPin(path: string): string {
  let text: string;
  try {
    if ((statSync(path).mode & 0o022) !== 0) {
      throw new TokenRefusal(
        'pin-unreadable',
        `${path} must not be writable by others than its owner: chmod 600 ${path}`,
      );
    }
    text = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    if (error instanceof TokenRefusal) throw error;
    throw new TokenRefusal('pin-unreadable', `${path} can't be read: ${(error as Error).message}`);
  }
  if (text === '' || text.length > 255)
    throw new TokenRefusal('pin-unreadable', `${path} must hold the PIN, in one line`);
  return text;
}
