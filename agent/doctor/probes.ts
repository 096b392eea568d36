import type { KnownServer } from '../store/document.ts';
import type { Facts, MachineFacts, ServerFacts, StoreFacts, TpmAnswer } from './facts.ts';

/** How facts are come by: one adapter each, none of which throws because something on the device is wrong. */
export interface Probes {
  readonly agentVersion: string;
  machine(tpm: string | undefined): Promise<MachineFacts>;
  /** Opens the TPM for itself: nobody else of this process may have it open. Leaves nothing in it. */
  tpm(tpm: string | undefined): Promise<TpmAnswer>;
  /** Makes nothing. */
  store(directory: string | undefined): StoreFacts;
  server(known: KnownServer): Promise<ServerFacts>;
}

/** Gathers everything; `known`: the servers of the store. */
export async function gather(
  probes: Probes,
  where: { readonly tpm: string | undefined; readonly store: string | undefined },
  known: readonly KnownServer[],
  now: Date,
): Promise<Facts> {
  const [machine, tpm, servers] = await Promise.all([
    probes.machine(where.tpm),
    probes.tpm(where.tpm),
    Promise.all(known.map((server) => probes.server(server))),
  ]);
  return { checkedAt: now, machine, tpm, store: probes.store(where.store), servers };
}
