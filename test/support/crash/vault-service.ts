import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Child, inRepository, startChild, until } from '@cardwright/infra';
import { connectVault } from '@cardwright/vault';
import type { TappedSystem } from './tapped-system.ts';
import type { Victim } from './victim.ts';

const MAIN = inRepository('services', 'vault', 'dist', 'main.js');

/** The vault of a system, with settings that are looked up anew at each start: as an operator may change them. */
export interface VaultService extends Victim {
  stop(): Promise<void>;
}

/** Takes the place of the one that the launcher started. */
export async function ownVault(
  { system }: TappedSystem,
  settings: () => Readonly<Record<string, string>>,
): Promise<VaultService> {
  const socketPath = join(system.data.sockets, 'vault.sock');
  const logFile = join(system.data.logs, 'own-vault.log');
  let child: Child | undefined;
  async function end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    child?.kill(signal);
    await child?.exited;
    child = undefined;
  }
  const service: VaultService = {
    name: 'vault',
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    async start() {
      await end('SIGTERM');
      // As a supervisor does: what it starts in the middle of something may have to be started once more.
      for (let attempt = 1; !(await serves()); attempt += 1) {
        if (attempt === 3) throw new Error(`the vault ended: ${readFileSync(logFile, 'utf8').slice(-1000)}`);
      }
    },
  };

  async function serves(): Promise<boolean> {
    const { PATH = '' } = process.env;
    const env = { PATH, NODE_ENV: 'production', VAULT_SOCKET: socketPath, ...settings() };
    const program = { name: 'vault', command: process.execPath, args: [MAIN], env };
    const started = await startChild({ ...program, logFile, workingDirectory: system.data.path });
    child = started;
    const state = await until({ what: `the vault to serve (${logFile})`, seconds: 60, everyMs: 40 }, async () => {
      if (!started.running()) return 'ended';
      const client = connectVault(socketPath);
      try {
        return await client.health().catch(() => null);
      } finally {
        await client.close();
      }
    });
    return state !== 'ended';
  }
  await system.processes.vault.stop();
  await service.start();
  return service;
}
