import { spawn } from 'node:child_process';
import {
  createCipheriv,
  createDecipheriv,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  randomBytes,
} from 'node:crypto';
import { createWriteStream, rmSync } from 'node:fs';
import { join } from 'node:path';
import { baseEnvironment } from '../launcher/services.ts';
import type { System } from '../launcher/system.ts';
import { inRepository } from '../repository/root.ts';
import { peakMemory, watchMemory } from './peak-memory.ts';
import type { Row } from './table.ts';

const AIM = 0.1;
/** The floor is measured on so many keys, and told for all. */
const SAMPLE = 5000;

/**
 * An import of that many cards by the command line: checked, each key sealed to the vault, sent in batches, opened and stored
 * by the vault, recorded by cms. The most memory that each of the three had. The floor seals and opens as many keys by
 * node:crypto alone: one ECDH key pair, two agreements, AES-GCM there and back; no JWE, no HTTP, no rows, nothing durable.
 */
export async function measureCardImport(system: System, cards: number): Promise<Row> {
  const file = join(system.data.path, 'bench-cards.csv');
  const tokenFile = join(system.data.secrets, 'operator-security-officer.token');
  await writeCards(system, file, cards);
  const began = performance.now();
  const command = spawn(
    process.execPath,
    [
      inRepository('services', 'cms', 'dist', 'import-cards.cli.js'),
      ...['--url', system.url, '--token-file', tokenFile, '--file', file],
    ],
    { env: baseEnvironment(), stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const memory = watchMemory(command.pid);
  const exitCode = await new Promise((resolve) => command.once('close', resolve));
  const seconds = (performance.now() - began) / 1000;
  if (exitCode !== 0) throw new Error(`the import ended with ${exitCode}`);
  rmSync(file);
  const megabytes = [memory(), peakMemory(system.processes.cms.pid()), peakMemory(system.processes.vault.pid())];
  const bare = bareSeals(Math.min(SAMPLE, cards)) * Math.max(1, cards / SAMPLE);
  const peaks = megabytes.map((kilobytes) => Math.round(kilobytes / 1024)).join(', ');
  return {
    what: `import of ${cards} cards`,
    ours: `${seconds.toFixed(0)} s; command, cms, vault ${peaks} MB`,
    floor: `node:crypto ${bare.toFixed(0)} s`,
    ratio: bare / seconds,
    aim: AIM,
  };
}

async function writeCards(system: System, file: string, cards: number): Promise<void> {
  const answer = await fetch(`${system.url}/api/v1/people`, {
    method: 'POST',
    headers: { authorization: `Bearer ${system.tokens['security-officer']}`, 'content-type': 'application/json' },
    body: JSON.stringify({ displayName: 'Ivy Import', userPrincipalName: 'ivy.import@example.com' }),
  });
  if (answer.status !== 201) throw new Error(`no person to import cards for: ${await answer.text()}`);
  const out = createWriteStream(file, { mode: 0o600 });
  out.write('serial,person,algorithm,administratorKey\n');
  for (let card = 0; card < cards; card++) {
    const line = `BENCH-${card},ivy.import@example.com,aes-256,${randomBytes(32).toString('hex')}\n`;
    if (!out.write(line)) await new Promise<void>((resolve) => out.once('drain', resolve));
  }
  await new Promise<void>((resolve, reject) => out.end((error?: Error | null) => (error ? reject(error) : resolve())));
}

/** @returns seconds. */
function bareSeals(count: number): number {
  const vault = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const began = performance.now();
  for (let left = count; left > 0; left--) {
    const mine = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const there = kek(diffieHellman({ privateKey: mine.privateKey, publicKey: vault.publicKey }));
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', there, nonce);
    const sealed = Buffer.concat([cipher.update(randomBytes(64)), cipher.final()]);
    const back = kek(diffieHellman({ privateKey: vault.privateKey, publicKey: mine.publicKey }));
    const decipher = createDecipheriv('aes-256-gcm', back, nonce, { authTagLength: 16 }).setAuthTag(
      cipher.getAuthTag(),
    );
    Buffer.concat([decipher.update(sealed), decipher.final()]);
  }
  return (performance.now() - began) / 1000;
}

const kek = (secret: Buffer): Buffer => Buffer.from(hkdfSync('sha256', secret, '', '', 32));
