import { randomBytes, randomUUID } from 'node:crypto';
import type { VaultClient } from '@cardwright/vault';
import pg from 'pg';
import type { TestDatabase } from '../../support/database.ts';
import { sealed } from './sealing.ts';
import { type SoftParent, softParent } from './soft-parent.ts';
import { caller } from './vault-process.ts';

export const NV = 0x01800042;

/** A card whose first key the vault has confirmed, and what a test knows of it besides. */
export interface KeyedCard {
  readonly cardId: string;
  readonly parent: SoftParent;
  /** The founding key, as its parent opened it. */
  readonly key: Buffer;
  readonly name: Uint8Array;
}

export async function tpmCard(
  client: VaultClient,
  strategy: 'random-stored' | 'deterministic' | 'random-not-stored' = 'random-stored',
): Promise<KeyedCard> {
  const [cardId, parent] = [randomUUID(), softParent()];
  const made = await client.makeKeyForTpm({ ...caller, cardId, strategy, parentPublic: parent.public, pinLimit: 5 });
  const { key } = parent.unwrap(made);
  await client.signFirstWrite({ ...caller, cardId, keyVersion: 1, nvIndex: NV, nonce: randomBytes(16) });
  await client.confirmKey({ ...caller, cardId, keyVersion: 1 });
  return { cardId, parent, key, name: made.name };
}

/** A card that is not in a TPM. */
export async function importedCard(client: VaultClient, algorithm: 'tdes' | 'aes-256' = 'tdes') {
  const [cardId, cardSerial] = [randomUUID(), 'CW-1'];
  const key = randomBytes(algorithm === 'tdes' ? 24 : 32);
  const jwe = await sealed(await client.importKey(), key.toString('hex'), cardSerial);
  await client.importAdministratorKey({ ...caller, cardId, cardSerial, algorithm, jwe });
  return { cardId, key };
}

export async function query(url: string, text: string, values: readonly unknown[] = []) {
  const database = new pg.Client({ connectionString: url });
  await database.connect();
  try {
    return (await database.query(text, [...values])).rows as Record<string, unknown>[];
  } finally {
    await database.end();
  }
}

/** As who owns the database: with the guards switched off, and on again. */
export async function behindTheGuards(database: TestDatabase, ...statements: string[]): Promise<void> {
  const tables = ['administrator_keys', 'uses', 'record_signatures'];
  const all = (what: string) => tables.map((table) => `ALTER TABLE vault.${table} ${what} TRIGGER USER;`).join('');
  await query(database.ownerUrl, `${all('DISABLE')} ${statements.join(';')}; ${all('ENABLE')}`);
}
