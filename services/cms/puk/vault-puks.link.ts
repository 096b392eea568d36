import type { VaultClient } from '@cardwright/vault';
import type { Puks } from './ports.ts';

export function createPuks(vault: VaultClient): Puks {
  return {
    async show(cardId, intent) {
      return (await vault.showPuk({ cardId, requestedBy: intent.actor.id, requestId: intent.requestId })).puk;
    },
  };
}
