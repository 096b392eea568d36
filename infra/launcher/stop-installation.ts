import { join } from 'node:path';
import { findPostmaster } from '../database/postmaster.ts';
import { stopProcess } from '../processes/child.ts';
import { stopSoftwareTpm } from '../software-tpm/start.ts';
import { stopLeftOvers } from './left-overs.ts';

/** Ends every process that still runs on a data directory whose launcher is gone: services, PostgreSQL, software TPM. */
export async function stopInstallation(dataDir: string): Promise<void> {
  await stopLeftOvers(join(dataDir, 'processes.json'));
  const postmaster = findPostmaster(join(dataDir, 'postgres'));
  if (postmaster !== null) await stopProcess(postmaster.identity, { signal: 'SIGQUIT' });
  await stopSoftwareTpm(join(dataDir, 'device', 'tpm'));
}
