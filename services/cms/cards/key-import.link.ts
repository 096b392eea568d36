import type { VaultClient } from '@cardwright/vault';
import type { KeyImport } from './ports.ts';

export function createKeyImport(vault: VaultClient): KeyImport {
  return {
    importKeyFor: (card, intent) =>
      vault.importAdministratorKey({ ...card, requestedBy: intent.actor.id, requestId: intent.requestId }),
    publicKey: async () => ({ ...(await vault.importKey()) }),
  };
}
