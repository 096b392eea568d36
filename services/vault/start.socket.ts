import { randomBytes } from 'node:crypto';
import { serveLink } from '@cardwright/link';
import type { VaultConfig } from './config.env.ts';
import type { Custody } from './custody.ts';
import { type FaultPoint, withFaults } from './faults.ts';
import { vaultHandlers } from './handlers.ts';
import { keyStore } from './keys.pg.ts';
import { type AnswerLimits, answerLimits } from './limits/limits.ts';
import { loadLimits } from './limits/load-limits.pg.ts';
import { openVaultKeys } from './open-keys.pg.ts';
import { connectDatabase } from './pool.pg.ts';
import { alertStore } from './record/alerts.pg.ts';
import { openRecord } from './record/open-record.pg.ts';
import { withCurrentKeys } from './rotation/current-keys.ts';
import { selfTest } from './self-test.ts';
import type { ChainedEntry } from './uses.pg.ts';

const REFRESH_EVERY_MS = 60_000;
/** What commits, of the store of keys and secrets. */
const CHANGES = [
  ...(['add', 'claimFirstWrite', 'confirm', 'confirmChange'] as const),
  ...(['addSecret', 'markShown', 'addBatch', 'addWithPuk'] as const),
];

export interface StartOptions extends VaultConfig {
  /** Make the keys file if there is none, and no key in the database that would need the lost one. */
  readonly init: boolean;
  readonly checkpointFile: string;
  readonly limits: AnswerLimits;
  /** Something that an operator should look into; it is in the database as well. For the log. */
  readonly onAlert: (code: string, entry: ChainedEntry) => void;
  /** Where tests let the vault die: before and after each commit that changes a key or a secret. */
  readonly faults: FaultPoint;
  /** What is no refusal: for the log. Never holds a key. */
  readonly onError: (error: unknown, operation: string) => void;
}

export interface RunningVault {
  /** Answers what it has begun, then lets go of the socket, the database and the keys. */
  close(): Promise<void>;
}

/** Wires the vault and serves it. Whatever is wrong shows here, before the socket is there. */
export async function startVault(options: StartOptions): Promise<RunningVault> {
  const database = connectDatabase(options.databaseUrl, (error) => options.onError(error, 'database'));
  try {
    const keyring = await openVaultKeys(options, database, options.init);
    const custody: Custody = { provider: keyring, random };
    try {
      await selfTest(custody.provider, random);
      const now = () => Date.now();
      const limits = answerLimits(options.limits, now);
      const record = await openRecord({
        database,
        provider: custody.provider,
        checkpointFile: options.checkpointFile,
        now,
        onForeign: ({ use, outcome, atMicros }) => limits.note(use, outcome, Number(atMicros / 1000n)),
        onAlert: (entry) => options.onAlert(entry.outcome, entry),
      });
      await loadLimits(database, limits, now());
      const guard = { limits, alerts: alertStore(database), uniformAllowed: options.uniformKeysAllowed };
      const handlers = vaultHandlers(
        custody,
        withFaults(keyStore(database, record), 'keys', options.faults, CHANGES),
        record,
        guard,
      );
      const server = await serveLink({
        socketPath: options.socketPath,
        handlers: withCurrentKeys(handlers, keyring.refresh),
        onError: options.onError,
      });
      // Forgets keys that another process had destroyed, also when nothing else makes it look.
      const look = () => keyring.refresh().catch((error: unknown) => options.onError(error, 'refresh of the keys'));
      const timer = setInterval(look, REFRESH_EVERY_MS).unref();
      return {
        async close() {
          clearInterval(timer);
          await server.close();
          await record.close();
          await database.close();
          await custody.provider.close();
        },
      };
    } catch (error) {
      await custody.provider.close();
      throw error;
    }
  } catch (error) {
    await database.close();
    throw error;
  }
}

function random(count: number): Uint8Array {
  // Not a view of Node's shared pool: these bytes may be a key, and are wiped.
  return Uint8Array.from(randomBytes(count));
}
