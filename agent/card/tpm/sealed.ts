import { DomainError, isDomainError, type Secret } from '@cardwright/protocol';
import { parseSealedDataPublic } from '@cardwright/protocol/tpm';
import { importObject, TpmRefusal, unseal, withLoaded } from '../../tpm/index.ts';
import type { WrappedAdministratorKey } from '../port.ts';
import type { Hardware } from './hardware.ts';

/** Throws `sealed-key-refused`: of another device, altered, or no sealed data. */
export async function openSealed({ tpm, roots }: Hardware, wrapped: WrappedAdministratorKey): Promise<Secret> {
  requireSealedData(wrapped);
  const root = await roots.current();
  const session = await roots.session(root);
  try {
    const stored = await importObject(tpm, root, wrapped);
    return await withLoaded(tpm, root, stored, (item) => unseal(tpm, item, session));
  } catch (error) {
    if (!(error instanceof TpmRefusal) || error.code !== 'tpm-refused') throw error;
    throw refused("it was not sealed for this device's TPM, or was altered since", error);
  }
}

function requireSealedData(wrapped: WrappedAdministratorKey): void {
  let name: Uint8Array;
  try {
    name = parseSealedDataPublic(wrapped.public);
  } catch (cause) {
    throw isDomainError(cause) ? refused('it is no sealed data', cause) : cause;
  }
  if (!Buffer.from(name).equals(wrapped.name)) throw refused('its Name is another one');
}

function refused(detail: string, cause?: unknown): DomainError {
  return new DomainError('unprocessable', 'sealed-key-refused', `The sealed key was refused: ${detail}.`, { cause });
}
