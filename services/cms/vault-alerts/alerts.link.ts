import type { VaultClient } from '@cardwright/vault';
import type { VaultAlertSource } from './ports.ts';

/** What the vault has in a card's place when an alert is about none. */
const NO_CARD = '00000000-0000-0000-0000-000000000000';

export function createVaultAlertSource(vault: VaultClient): VaultAlertSource {
  return {
    async after(id, limit) {
      const alerts = await vault.alerts({ after: id, limit });
      return alerts.map((alert) => ({ ...alert, cardId: alert.cardId === NO_CARD ? null : alert.cardId }));
    },
  };
}
