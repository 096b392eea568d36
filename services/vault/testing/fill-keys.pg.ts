import { randomBytes, randomUUID } from 'node:crypto';
import { Secret } from '@cardwright/protocol';
import { readConfig } from '../config.env.ts';
import { type KeyFacts, NO_LINEAGE } from '../key-record.ts';
import { openVaultKeys } from '../open-keys.pg.ts';
import { connectDatabase } from '../pool.pg.ts';
import { seal } from '../sealing.ts';

/**
 * `node dist/testing/fill-keys.pg.js COUNT`, with the environment of a vault that has served: that many keys of cards that
 * do not exist, sealed as the vault seals, for benchmarks.
 */
const BATCH = 1000;
const INSERT = {
  name: 'fill-keys',
  text: `INSERT INTO vault.administrator_keys (card_id, key_version, algorithm, strategy, state, kek_version, sealed, kcv,
      confirmed_at)
    SELECT id, 1, 'aes-256', 'random-stored', 'confirmed', $2, sealed, '000000', clock_timestamp()
    FROM unnest($1::uuid[], $3::bytea[]) AS t (id, sealed)`,
};

const config = readConfig(process.env);
const database = connectDatabase(config.databaseUrl, () => undefined);
const provider = await openVaultKeys(config, database, false);
const random = (count: number) => Uint8Array.from(randomBytes(count));
for (let left = Number(process.argv[2]); left > 0; left -= BATCH) {
  const ids = Array.from({ length: Math.min(left, BATCH) }, () => randomUUID());
  const sealed = [];
  for (const cardId of ids) {
    const facts: KeyFacts = {
      ...{ cardId, keyVersion: 1, algorithm: 'aes-256', strategy: 'random-stored' },
      ...{ masterVersion: null, kcv: '000000', tpmName: null, pinLimit: null, ...NO_LINEAGE },
    };
    const key = Secret.take(random(32));
    sealed.push(Buffer.from((await seal(provider, random, facts, key)).sealed));
    key.wipe();
  }
  await database.query(INSERT, [ids, provider.kekVersion, sealed]);
}
await provider.close();
await database.close();
