import type { VaultClient } from '@cardwright/vault';
import type { BatchKeys } from './ports.ts';

export function createBatchKeys(vault: VaultClient): BatchKeys {
  return {
    take: ({ cards, ...batch }, intent) =>
      vault.importBatch({
        ...batch,
        requestedBy: intent.actor.id,
        requestId: intent.requestId,
        lines: cards.map(({ card, jwe, origin, kcv, puk, takeOver = false }) => ({
          cardId: card.id,
          cardSerial: card.serial,
          algorithm: card.algorithm,
          jwe,
          origin:
            origin?.strategy === 'deterministic'
              ? { ...origin, diversifier: new Uint8Array(Buffer.from(origin.diversifier, 'hex')) }
              : origin,
          kcv,
          puk,
          takeOver,
        })),
      }),
  };
}
