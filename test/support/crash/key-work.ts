import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { inRepository, keptSecret, until } from '@cardwright/infra';
import { expect } from 'vitest';
import { softToken } from '../../../services/vault/dist/testing/soft-token.js';
import { type Device, newDevice } from '../device.ts';
import { enrolmentCode, registerPerson } from '../people.ts';
import { type Ran, run } from '../run.ts';
import type { TestSystem } from '../system.ts';
import { bothRecordsAgree } from '../vault-audit.ts';
import { newCardFile } from './card-import.ts';
import { type Asking, askAllTheTime } from './questions.ts';
import { answersAsOpenssl, type KnownKey, pinIsReset } from './resets.ts';
import { NO_LIMITS, startTappedSystem, type TappedSystem } from './tapped-system.ts';
import { ownVault } from './vault-service.ts';
import { createDriver, type Driver, type Victim } from './victim.ts';

const MAIN = inRepository('services', 'vault', 'dist', 'main.js');
/** Small batches: more steps to die at. */
const BATCH_ROWS = '3';
const PROFILES = ['tpm-default', 'tpm-derived'] as const;

/** A system with cards of all kinds, whose vault had a key ceremony, and a token beside its keys file. */
export interface KeyWork {
  readonly tapped: TappedSystem;
  readonly keysFile: string;
  readonly victims: Readonly<Record<'command' | 'vault' | 'postgres', Victim>>;
  /** The points that the command passes, numbered, in their order. */
  pointsOf(args: readonly string[]): Promise<string[]>;
  /**
   * Kills the victim at that point while the vault is asked all the time; all keys answer; the same command completes it,
   * and every card's PIN can be reset, and the two records agree. `done` says what else must be so then.
   */
  killAt(args: readonly string[], point: string, victim: string, done: () => Promise<void>): Promise<void>;
  /** One active KEK, everything under it, and no other that is not destroyed. */
  nothingIsLeftToDo(): Promise<void>;
  /** All as it was when this was first called: database, keys file, recovery file, token. */
  restore(): Promise<void>;
  /** With VAULT_PROVIDER set to that one. */
  restartVault(provider: 'file' | 'pkcs11'): Promise<void>;
  remove(): Promise<void>;
}

export async function startKeyWork(): Promise<KeyWork> {
  const token = softToken();
  const undo: (() => unknown)[] = [() => token.remove()];
  const remove = async () => {
    for (let last = undo.pop(); last !== undefined; last = undo.pop()) await last();
  };
  try {
    let settings: Readonly<Record<string, string>> = {};
    const tapped = await startTappedSystem({
      async beforeStart({ dataDir, vaultUrl }) {
        mkdirSync(join(dataDir, 'vault'), { mode: 0o700 });
        const secretFile = join(dataDir, 'secrets', 'vault-passphrase');
        keptSecret(secretFile);
        settings = {
          VAULT_SOCKET: join(dataDir, 'sockets', 'vault.sock'),
          VAULT_DATABASE_URL: vaultUrl,
          VAULT_KEYS_FILE: join(dataDir, 'vault', 'keys.json'),
          VAULT_SECRET_FILE: secretFile,
          VAULT_RECOVERY_FILE: join(dataDir, 'vault', 'recovery.json'),
          ...token.env,
          ...NO_LIMITS,
        };
        const ceremony = ['init', '--shares', '3', '--threshold', '2'];
        const ran = await run(process.execPath, [MAIN, ...ceremony], { env: settings, input: '\n\n\n' });
        expect(ran.exitCode, ran.stderr).toBe(0);
      },
    });
    undo.push(() => tapped.remove());
    const keysFile = settings.VAULT_KEYS_FILE as string;
    // As an operator does after a move. Until then a vault that dies comes back with the settings of before.
    const named = { provider: 'file' };
    const vault = await ownVault(tapped, () => ({ ...settings, VAULT_PROVIDER: named.provider }));
    undo.push(() => vault.stop());
    const { device, stores } = await cardsInTpm(tapped);
    undo.push(() => device.remove());
    const known = await importedCards(tapped);
    const command = createDriver('command');
    return keyWork({
      tapped,
      settings,
      keysFile,
      named,
      vault,
      stores,
      known,
      command,
      tokenFolder: dirname(token.pinFile),
      remove,
    });
  } catch (error) {
    await remove();
    throw error;
  }
}

interface Parts {
  readonly tapped: TappedSystem;
  readonly settings: Readonly<Record<string, string>>;
  readonly keysFile: string;
  /** As VAULT_PROVIDER. */
  readonly named: { provider: string };
  readonly vault: Awaited<ReturnType<typeof ownVault>>;
  readonly stores: readonly { readonly store: Device; readonly cardId: string }[];
  readonly known: readonly KnownKey[];
  readonly command: Driver;
  readonly tokenFolder: string;
  readonly remove: () => Promise<void>;
}

function keyWork(parts: Parts): KeyWork {
  const { tapped, settings, keysFile, named, vault, stores, known, command, tokenFolder, remove } = parts;
  const { system } = tapped;
  const victims = { command, vault, postgres: tapped.victims.postgres };
  const step = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    command.run(process.execPath, [MAIN, ...args], { env: { ...settings, VAULT_BATCH_ROWS: BATCH_ROWS, ...env } });

  async function allAnswer(): Promise<void> {
    await tapped.ready();
    await Promise.all(known.map((card) => answersAsOpenssl(system, card)));
  }

  async function judge(): Promise<void> {
    await allAnswer();
    for (const { store, cardId } of stores) await pinIsReset(system, store, cardId);
    await bothRecordsAgree(system);
  }

  async function die(args: readonly string[], point: string, victim: string, asking: Asking): Promise<void> {
    const at = point.split(' ')[0] ?? '';
    if (victim === 'command') {
      const died = await step(args, { VAULT_FAULT_AT: at });
      expect(died.signal, `${point}: ${died.stderr}`).toBe('SIGKILL');
      return;
    }
    const running = step(args, { VAULT_FAULT_AT: at, VAULT_FAULT_HOLD: '1' });
    await until({ what: `the command to stop at ${point}`, seconds: 30 }, () =>
      isStopped(command.running()?.child.pid),
    );
    asking.mayFail();
    const other = victims[victim as 'vault' | 'postgres'];
    await other.kill();
    const back = other.start();
    command.running()?.child.kill('SIGCONT');
    await Promise.all([running, back]);
  }

  let kept: string | undefined;
  return {
    ...{ tapped, keysFile, victims, remove },
    async pointsOf(args) {
      const trace = join(system.data.path, `trace-${randomBytes(4).toString('hex')}`);
      const ran = await step(args, { VAULT_FAULT_TRACE: trace });
      expect(ran.exitCode, ran.stderr).toBe(0);
      const names = readFileSync(trace, 'utf8').trimEnd().split('\n');
      return names.map((name, at) => `${at + 1} ${name}`);
    },
    async killAt(args, point, victim, done) {
      const asking = askAllTheTime(tapped, known);
      let again: Ran;
      try {
        await die(args, point, victim, asking);
        await allAnswer();
        again = await step(args);
      } finally {
        await asking.stop();
      }
      expect(again.exitCode, again.stderr).toBe(0);
      await done();
      await judge();
      asking.judge();
    },
    async nothingIsLeftToDo() {
      const rows =
        await system.query(`select state, destroyed_at is not null as destroyed, vault.kek_in_use(version) as used
        from vault.key_encryption_keys order by version`);
      expect(rows.at(-1)).toEqual({ state: 'active', destroyed: false, used: true });
      for (const row of rows.slice(0, -1)) expect(row).toEqual({ state: 'retired', destroyed: true, used: false });
    },
    async restore() {
      await vault.stop();
      named.provider = 'file';
      const folders = [dirname(keysFile), tokenFolder];
      if (kept === undefined) {
        kept = join(system.data.path, 'kept');
        await tapped.copyDatabase('as_prepared');
        for (const [at, folder] of folders.entries()) cpSync(folder, join(kept, String(at)), { recursive: true });
      } else {
        await tapped.restoreDatabase('as_prepared');
        for (const [at, folder] of folders.entries()) {
          rmSync(folder, { recursive: true });
          cpSync(join(kept, String(at)), folder, { recursive: true });
        }
      }
      await vault.start();
      await tapped.ready();
    },
    async restartVault(provider) {
      await vault.stop();
      named.provider = provider;
      await vault.start();
    },
  };
}

/** Cards whose keys the vault made at random and derived from its master secret, in a TPM, each with a store of its own. */
async function cardsInTpm({ system }: TappedSystem) {
  const device = await newDevice();
  const stores = [];
  for (const profile of PROFILES) {
    const { id } = await registerPerson(system, 'Grace Hopper');
    const store = device.withStore(join(device.directory, profile));
    const code = await enrolmentCode(system, id, profile);
    const enrolled = await store.agent(['enrol', '--server', system.url, '--code', code, '--pin-stdin'], {
      input: '618294\n',
    });
    expect(enrolled.exitCode, enrolled.stderr).toBe(0);
    const cards = await system.as('helpdesk').get(`/cards?personId=${id}&state=active`);
    stores.push({ store, cardId: cards.body.items[0].id as string });
  }
  for (const { store, cardId } of stores.slice(1)) await rotated(system, store, cardId);
  return { device, stores };
}

/** A card with a key that another one approved, whose bytes the vault has no more. */
async function rotated(system: TestSystem, store: Device, cardId: string): Promise<void> {
  const officer = system.as('security-officer');
  const asked = { cause: 'periodic', reason: 'keys of last year are to go' };
  const made = await officer.post(`/cards/${cardId}/administrator-key-changes`, asked);
  const ran = await store.agent(['run', '--once']);
  expect(ran.exitCode, ran.stderr).toBe(0);
  await until({ what: 'the change to be confirmed', seconds: 30 }, async () => {
    const { body } = await officer.get(`/administrator-key-changes/${made.body.id}`);
    return body.state === 'confirmed';
  });
}

async function importedCards(tapped: TappedSystem): Promise<KnownKey[]> {
  const { cards, takeIn } = await newCardFile(tapped, createDriver('command'));
  expect(await takeIn()).toMatchObject({ exitCode: 0 });
  const stored = await tapped.system.query('select id, serial from cards');
  return cards.map(({ serial, algorithm, key }) => {
    const { id: cardId } = stored.find((card) => card.serial === serial);
    return { cardId, algorithm, key };
  });
}

/** proc(5): the third field of /proc/PID/stat. */
function isStopped(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  return /^\d+ \(.*\) T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}
