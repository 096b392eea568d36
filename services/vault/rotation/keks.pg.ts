import type { Database } from '../pool.pg.ts';
import type { ProviderName } from '../provider.ts';

/** One row of vault.key_encryption_keys. */
export interface KekRecord {
  readonly version: number;
  readonly provider: ProviderName;
  readonly state: 'active' | 'retiring' | 'retired';
  readonly destroyed: boolean;
}

const LIST = {
  name: 'vault-list-keks',
  text: `SELECT version, provider, state, destroyed_at IS NOT NULL AS destroyed
    FROM vault.key_encryption_keys ORDER BY version`,
};

const ACTIVE = {
  name: 'vault-active-kek',
  text: `SELECT version FROM vault.key_encryption_keys WHERE state = 'active'`,
};

const IN_USE = {
  name: 'vault-keks-in-use',
  text: 'SELECT EXISTS (SELECT 1 FROM vault.key_encryption_keys WHERE vault.kek_in_use(version)) AS used',
};

// With any row there, it is not the first: a vault that was started with the keys of another one must not add its own.
const REGISTER_FIRST = {
  name: 'vault-register-first-kek',
  text: `INSERT INTO vault.key_encryption_keys (version, provider, state)
    SELECT $1::int, $2::text, 'active' WHERE NOT EXISTS (SELECT 1 FROM vault.key_encryption_keys)
    ON CONFLICT DO NOTHING`,
};

// The insert reads the update, so that it comes after it: there is never more than one active KEK.
const ACTIVATE = {
  name: 'vault-activate-kek',
  text: `WITH before AS (
      UPDATE vault.key_encryption_keys SET state = 'retiring' WHERE state = 'active' RETURNING 1)
    INSERT INTO vault.key_encryption_keys (version, provider, state)
      SELECT $1::int, $2::text, 'active' FROM (SELECT count(*) FROM before) AS done`,
};

const RETIRE = {
  name: 'vault-retire-kek',
  text: `UPDATE vault.key_encryption_keys SET state = 'retired', retired_at = clock_timestamp()
    WHERE version = $1 AND state = 'retiring'`,
};

const DESTROYED = {
  name: 'vault-kek-destroyed',
  text: `UPDATE vault.key_encryption_keys SET destroyed_at = clock_timestamp()
    WHERE version = $1 AND destroyed_at IS NULL`,
};

export interface KekTable {
  /** By version. */
  list(): Promise<readonly KekRecord[]>;
  /** @returns undefined when no vault has ever served on this database. */
  active(): Promise<number | undefined>;
  /** True when anything at all is sealed with any of them. */
  inUse(): Promise<boolean>;
  /** Calls that KEK the active one if there is none at all yet. */
  registerFirst(version: number, provider: ProviderName): Promise<void>;
  /** What was active retires: once this returns, nothing more is sealed with it. */
  activate(version: number, provider: ProviderName): Promise<void>;
  /** @throws the driver's error (SQLSTATE 23001) while something is still sealed with it. */
  retire(version: number): Promise<void>;
  noteDestroyed(version: number): Promise<void>;
}

export function kekTable(database: Pick<Database, 'query'>): KekTable {
  return {
    async list() {
      return (await database.query(LIST, [])).rows as unknown as KekRecord[];
    },
    async active() {
      return (await database.query(ACTIVE, [])).rows[0]?.version as number | undefined;
    },
    async inUse() {
      return (await database.query(IN_USE, [])).rows[0]?.used === true;
    },
    async registerFirst(version, provider) {
      await database.query(REGISTER_FIRST, [version, provider]);
    },
    async activate(version, provider) {
      await database.query(ACTIVATE, [version, provider]);
    },
    async retire(version) {
      await database.query(RETIRE, [version]);
    },
    async noteDestroyed(version) {
      await database.query(DESTROYED, [version]);
    },
  };
}
