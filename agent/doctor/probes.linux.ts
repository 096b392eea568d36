import { DEFAULT_TCTI, openTpm } from '../tpm/index.ts';
import { machineFacts } from './machine.linux.ts';
import type { Probes } from './probes.ts';
import { serverFacts } from './server.http.ts';
import { storeFacts } from './store.file.ts';
import { askTpm } from './tpm-probe.ts';

export function linuxProbes(options: {
  readonly agentVersion: string;
  readonly storeDirectory: (option: string | undefined) => string;
  readonly environment: NodeJS.ProcessEnv;
  readonly now: () => Date;
}): Probes {
  const { environment } = options;
  const tctiOf = (tpm: string | undefined) => tpm ?? environment.CARDWRIGHT_TPM ?? DEFAULT_TCTI;
  return {
    agentVersion: options.agentVersion,
    machine: async (tpm) => machineFacts(tctiOf(tpm)),
    tpm: (tpm) => askTpm(() => openTpm(tctiOf(tpm))),
    store: (directory) => storeFacts(options.storeDirectory(directory)),
    server: (known) => serverFacts(known, environment, options.now),
  };
}
