import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  identify,
  isRunning,
  type ProcessIdentity,
  removeCluster,
  stopInstallation,
  stopSoftwareTpm,
} from '@cardwright/infra';

const PREFIX = 'cardwright-test-';
const VARIABLE = 'CARDWRIGHT_TEST_RUN';

/**
 * The folder of one run of the tests, shared by its workers: made by the global set-up, deleted with all that still runs
 * in it by the global tear-down. What a run killed with -9 left behind is swept by the next one.
 */
export async function openRunFolder(): Promise<string> {
  await sweepDeadRuns();
  const folder = mkdtempSync(join(tmpdir(), PREFIX));
  chmodSync(folder, 0o711); // PostgreSQL started by root runs as user postgres, and must pass through
  writeFileSync(join(folder, 'owner.json'), JSON.stringify(identify(process.pid)));
  process.env[VARIABLE] = folder;
  return folder;
}

export function runFolder(): string {
  const folder = process.env[VARIABLE];
  if (folder === undefined)
    throw new Error(`${VARIABLE} is not set: run the tests with the repository's vitest.config.ts`);
  return folder;
}

export async function closeRunFolder(folder: string): Promise<void> {
  // The run's own PostgreSQL, and the systems and devices that tests started and could not end.
  const systems = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const place of [folder, ...systems.map(({ name }) => join(folder, name))]) {
    await stopInstallation(place);
    await stopSoftwareTpm(join(place, 'tpm'));
    removeCluster(join(place, 'postgres'));
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

async function sweepDeadRuns(): Promise<void> {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(PREFIX))) {
    const folder = join(tmpdir(), name);
    const owner = readOwner(folder);
    if (owner !== null && !isRunning(owner)) await closeRunFolder(folder);
  }
}

/** Null for a folder that is just being made, or that is not one of ours. */
function readOwner(folder: string): ProcessIdentity | null {
  try {
    return JSON.parse(readFileSync(join(folder, 'owner.json'), 'utf8')) as ProcessIdentity;
  } catch {
    return null;
  }
}
