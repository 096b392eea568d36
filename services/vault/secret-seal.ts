import type { Secret } from '@cardwright/protocol';
import type { Custody } from './custody.ts';
import { NO_LINEAGE, type SealedKey, type SecretFacts } from './key-record.ts';
import { type SealedFacts, seal, unseal } from './sealing.ts';

/**
 * What the seal of such a secret binds. The word in the place of the strategy keeps it apart from every administrator key:
 * else a PUK's row, given the blob of a card's key, would show that key.
 */
export function secretSealFacts(facts: SecretFacts): SealedFacts {
  return {
    cardId: facts.id,
    keyVersion: 1,
    algorithm: facts.algorithm ?? 'none',
    strategy: `secret ${facts.kind} ${facts.name} of ${facts.cardId ?? 'no card'}`,
    masterVersion: null,
    kcv: facts.kcv,
    tpmName: null,
    pinLimit: null,
    ...NO_LINEAGE,
  };
}

export function sealSecret({ provider, random }: Custody, facts: SecretFacts, secret: Secret): Promise<SealedKey> {
  return seal(provider, random, secretSealFacts(facts), secret);
}

/** @returns the caller's to wipe. @throws DomainError `vault-blob-invalid` (internal). */
export function openSecret({ provider }: Custody, record: SecretFacts & SealedKey): Promise<Secret> {
  return unseal(provider, secretSealFacts(record), record);
}
