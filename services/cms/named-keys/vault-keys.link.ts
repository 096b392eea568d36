import type { VaultClient } from '@cardwright/vault';
import type { NamedKeys } from './ports.ts';

export function createNamedKeys(vault: VaultClient): NamedKeys {
  return {
    take: (key, intent) => vault.importNamedKey({ ...key, requestedBy: intent.actor.id, requestId: intent.requestId }),
    list: (intent) => vault.listNamedKeys({ requestedBy: intent.actor.id, requestId: intent.requestId }),
  };
}
