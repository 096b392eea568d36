import { DEFAULT_TCTI, openTpm } from '../tpm/index.ts';
import { machineFacts } from './machine.linux.ts';
import type { Probes } from './probes.ts';
import { serverFacts } from './server.http.ts';
import { storeFacts } from './store.file.ts';
import { askTpm } from './tpm-probe.ts';

export function linuxProbes(options: {
  readonly agentVersion: string;
  /** Where the TPM is, if no option says. */
  readonly tcti: string | undefined;
  readonly storeDirectory: (option: string | undefined) => string;
  readonly now: () => Date;
}): Probes {
  const tctiOf = (tpm: string | undefined) => tpm ?? options.tcti ?? DEFAULT_TCTI;
  return {
    agentVersion: options.agentVersion,
    machine: async (tpm) => machineFacts(tctiOf(tpm)),
    tpm: (tpm) => askTpm(() => openTpm(tctiOf(tpm))),
    store: (directory) => storeFacts(options.storeDirectory(directory)),
    server: (url) => serverFacts(url, options.now),
  };
}
