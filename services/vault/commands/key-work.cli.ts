import { randomBytes } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { connectLink } from '@cardwright/link';
import { DomainError, isDomainError } from '@cardwright/protocol';
import { openRecoveryFile } from '../ceremony/recovery.file.ts';
import type { VaultConfig } from '../config.env.ts';
import { type FaultPoint, faultPoints, withFaults } from '../faults.ts';
import { type Keyring, openKeyring } from '../keyring.ts';
import { connectDatabase, type Database } from '../pool.pg.ts';
import type { ManagedProvider, ProviderName } from '../provider.ts';
import { openProviders } from '../providers/open.file.ts';
import { kekTable } from '../rotation/keks.pg.ts';
import type { MovePorts } from '../rotation/move-provider.ts';
import { mastersInUse, sealedTables } from '../rotation/sealed-tables.pg.ts';
import { takeTurn } from '../rotation/turn.pg.ts';

/** Rows a batch: 500 sealed keys are some 100 KB. */
const BATCH_ROWS = 500;

export interface CommandContext {
  readonly config: VaultConfig;
  readonly env: NodeJS.ProcessEnv;
  /** One line for the person. */
  readonly say: (line: string) => void;
}

/** Opens everything that a change of the vault's keys needs, alone among all processes, and closes it afterwards. */
export async function withKeyWork<T>(
  { config, env, say }: CommandContext,
  work: (ports: MovePorts) => Promise<T>,
): Promise<T> {
  const point = faultsOf(env);
  const turn = await takeTurn(config.databaseUrl);
  const database = connectDatabase(config.databaseUrl, () => undefined);
  let keyring: Keyring | undefined;
  try {
    const providers = (await openProviders(config)).map((each) => providerWithFaults(each, point));
    keyring = await openedKeyring(providers, database);
    return await work({
      keyring,
      keks: withFaults(kekTable(database), 'keks', point, ['activate', 'retire', 'noteDestroyed']),
      tables: sealedTables(database).map((table) => withFaults(table, table.name, point, ['replace'])),
      recovery:
        config.recoveryFile === null
          ? null
          : withFaults(await openRecoveryFile(config.recoveryFile), 'recovery', point, ['add', 'removeKek']),
      random: (count) => Uint8Array.from(randomBytes(count)),
      batchRows: Number(env.VAULT_BATCH_ROWS ?? BATCH_ROWS),
      stillOurTurn: turn.demand,
      say,
      mastersInUse: () => mastersInUse(database),
    });
  } finally {
    await keyring?.close();
    await database.close();
    await turn.end();
  }
}

async function openedKeyring(providers: readonly ManagedProvider[], database: Database): Promise<Keyring> {
  const [first, ...others] = providers;
  if (first === undefined) throw new Error('a vault without a provider');
  try {
    return await openKeyring([first, ...others], async () => {
      const active = await kekTable(database).active();
      if (active !== undefined) return active;
      const detail = 'No vault has served on this database yet: there is nothing to change.';
      throw new DomainError('conflict', 'vault-keys-unused', detail);
    });
  } catch (error) {
    for (const each of providers) await each.close();
    throw error;
  }
}

/**
 * A vault that serves on the socket must have that provider open, or it could not open what is moved there.
 * @throws DomainError `vault-provider-not-open` (conflict).
 */
export async function demandOpenInRunningVault({ config }: CommandContext, provider: ProviderName): Promise<void> {
  const link = connectLink({ socketPath: config.socketPath, service: 'vault', timeoutMs: 5000 });
  try {
    const health = await link.call<{ holders?: readonly string[] }>('health', {});
    if (health.holders?.includes(provider) === true) return;
    throw new DomainError(
      'conflict',
      'vault-provider-not-open',
      `The vault that serves on ${config.socketPath} does not have the provider ${provider} open, and could not answer for ` +
        'what is moved there: set the variables of both providers for it, start it again, then repeat this.',
    );
  } catch (error) {
    // Not reachable: none runs there.
    if (!isDomainError(error) || error.kind !== 'unavailable') throw error;
  } finally {
    await link.close();
  }
}

function providerWithFaults(provider: ManagedProvider, point: FaultPoint): ManagedProvider {
  const changes = ['addKek', 'destroyKek', 'addMaster', 'addImportKey', 'setRecoveryKey', 'dispose'] as const;
  return withFaults(provider, provider.name, point, changes);
}

export function faultsOf(env: NodeJS.ProcessEnv): FaultPoint {
  const { VAULT_FAULT_AT: at, VAULT_FAULT_TRACE: file, VAULT_FAULT_HOLD: hold } = env;
  const trace = file === undefined ? undefined : (name: string) => appendFileSync(file, `${name}\n`);
  return faultPoints(at, trace, () => process.kill(process.pid, hold === '1' ? 'SIGSTOP' : 'SIGKILL'));
}
