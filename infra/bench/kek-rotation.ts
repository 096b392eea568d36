import { type ChildProcess, spawn } from 'node:child_process';
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { baseEnvironment } from '../launcher/services.ts';
import type { System } from '../launcher/system.ts';
import { inRepository } from '../repository/root.ts';
import { watchMemory } from './peak-memory.ts';
import type { Row } from './table.ts';

const AIM = 0.05;

/**
 * A new key-encryption key for that many stored keys (100,000 in the figures we give), while the vault of the system serves:
 * time from the start of the command to its end, and the most memory it had. The floor is the same number of unwraps and
 * wraps by node:crypto alone, in one loop: no database, no rows, nothing durable.
 */
export async function measureKekRotation(system: System, keys = 100_000): Promise<Row> {
  await ended(vaultProgram(system, ['testing', 'fill-keys.pg.js'], [String(keys)]));
  const began = performance.now();
  const rotation = vaultProgram(system, ['main.js'], ['rotate-kek']);
  const memory = watchMemory(rotation.pid);
  await ended(rotation);
  const seconds = (performance.now() - began) / 1000;
  const bare = bareRewraps(keys);
  return {
    what: `KEK rotation, ${keys} keys`,
    ours: `${seconds.toFixed(1)} s, ${Math.round(memory() / 1024)} MB`,
    floor: `node:crypto ${bare.toFixed(1)} s`,
    ratio: bare / seconds,
    aim: AIM,
  };
}

function vaultProgram(system: System, path: readonly string[], args: readonly string[]): ChildProcess {
  const { data, database } = system;
  return spawn(process.execPath, [inRepository('services', 'vault', 'dist', ...path), ...args], {
    env: {
      ...baseEnvironment(),
      VAULT_SOCKET: join(data.sockets, 'vault.sock'),
      VAULT_DATABASE_URL: database.urls.vault,
      VAULT_KEYS_FILE: join(data.vault, 'keys.json'),
      VAULT_SECRET_FILE: join(data.secrets, 'vault-passphrase'),
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`the vault's command ended with ${code}`)),
    );
  });
}

/** @returns seconds. */
function bareRewraps(count: number): number {
  const [old, next, nonce, data] = [randomBytes(32), randomBytes(32), randomBytes(12), randomBytes(120)];
  const first = createCipheriv('aes-256-gcm', old, nonce).setAAD(data);
  const wrapped = Buffer.concat([first.update(randomBytes(32)), first.final()]);
  const tag = first.getAuthTag();
  const began = performance.now();
  for (let left = count; left > 0; left--) {
    const decipher = createDecipheriv('aes-256-gcm', old, nonce, { authTagLength: 16 }).setAAD(data).setAuthTag(tag);
    const clear = Buffer.concat([decipher.update(wrapped), decipher.final()]);
    const cipher = createCipheriv('aes-256-gcm', next, randomBytes(12)).setAAD(data);
    Buffer.concat([cipher.update(clear), cipher.final(), cipher.getAuthTag()]);
  }
  return (performance.now() - began) / 1000;
}
