import { DomainError } from '@cardwright/protocol';
import { ADMINISTRATOR_KEY_ATTRIBUTES, type Bytes, parsePublic, Reader, TPM_ALG } from '@cardwright/protocol/tpm';
import { importObject, TpmRefusal, withLoaded } from '../../tpm/index.ts';
import type { WrappedAdministratorKey } from '../port.ts';
import type { Hardware } from './hardware.ts';
import { encodeStored } from './stored.ts';

/** Throws `administrator-key-refused`. */
export async function importAdministratorKey(
  { tpm, roots }: Hardware,
  wrapped: WrappedAdministratorKey,
): Promise<Bytes> {
  requireAdministratorKey(wrapped);
  const root = await roots.current();
  try {
    const stored = await importObject(tpm, root, wrapped);
    // Loading shows that the TPM takes it, before the caller builds on it.
    await withLoaded(tpm, root, stored, async () => undefined);
    return encodeStored(stored);
  } catch (error) {
    if (!(error instanceof TpmRefusal) || error.code !== 'tpm-refused') throw error;
    throw refused('it was not wrapped for this device', error);
  }
}

/** Any other attributes or policy, and root on the device could use the key to answer the card's challenges. */
function requireAdministratorKey(wrapped: WrappedAdministratorKey): void {
  const area = parsePublic(wrapped.public, 'administrator-key-refused');
  const fits =
    area.kind === 'keyed-hash' &&
    area.nameAlg === TPM_ALG.SHA256 &&
    area.attributes === ADMINISTRATOR_KEY_ATTRIBUTES &&
    area.authPolicy.length === 0 &&
    area.scheme !== 'none' &&
    area.scheme.algorithm === TPM_ALG.HMAC &&
    area.scheme.hash === TPM_ALG.SHA256 &&
    Buffer.from(area.name).equals(wrapped.name);
  for (const [what, bytes] of [
    ['duplicate', wrapped.duplicate],
    ['inSymSeed', wrapped.inSymSeed],
  ] as const) {
    const reader = new Reader(bytes, 'administrator-key-refused');
    reader.sized(1024, what);
    reader.end();
  }
  if (!fits) throw refused('it is not an administrator key of a card');
}

function refused(detail: string, cause?: unknown): DomainError {
  const whole = `the administrator key was refused: ${detail}`;
  return new DomainError('unprocessable', 'administrator-key-refused', whole, { cause });
}
