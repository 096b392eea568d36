import type { VaultClient } from '@cardwright/vault';
import type { KeyImport } from './ports.ts';

export function createKeyImport(vault: VaultClient): KeyImport {
  return {
    importKeyFor: (card, intent) =>
      vault.importAdministratorKey({ ...card, requestedBy: intent.actor.id, requestId: intent.requestId }),
    adoptKeyFor: (card, intent) =>
      vault.adoptAdministratorKey({ ...card, requestedBy: intent.actor.id, requestId: intent.requestId }),
    importPukFor: (card, intent) =>
      vault.importPuk({ ...card, requestedBy: intent.actor.id, requestId: intent.requestId }),
    async versionOf(cardId, intent) {
      const asked = { cardId, requestedBy: intent.actor.id, requestId: intent.requestId };
      const versions = await vault.describeKeys(asked);
      return versions.find(({ state }) => state === 'confirmed')?.keyVersion ?? null;
    },
    publicKey: async () => ({ ...(await vault.importKey()) }),
  };
}
