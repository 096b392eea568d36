import type { Intent } from '../kernel/actor.ts';
import type { CaConnector } from './ports.ts';
import { createProbe, type ProbeDependencies } from './probe.ts';
import { type RevokeUnwantedDependencies, revokeUnwanted } from './revoke-unwanted.ts';

export interface ConnectorWork {
  /** CAs whose turn it is: what waits for one that is away is let alone until it is back. */
  reachable(): Promise<ReadonlySet<string>>;
  /** Of each CA that we can tell: serial numbers of what is to be revoked there. */
  readonly unwanted: readonly {
    readonly authority: string;
    due(now: Date, limit: number): Promise<readonly string[]>;
    complete(intent: Intent, serialNumber: string): Promise<void>;
  }[];
  readonly probe: () => Promise<number>;
}

export function createConnectorWork(
  connectors: readonly CaConnector[],
  deps: RevokeUnwantedDependencies & ProbeDependencies,
): ConnectorWork {
  async function reachable(): Promise<ReadonlySet<string>> {
    const away = new Set((await deps.states.all()).filter(({ state }) => state === 'down').map(({ name }) => name));
    return new Set(
      deps.authorities
        .describe()
        .map(({ name }) => name)
        .filter((name) => !away.has(name)),
    );
  }

  return {
    reachable,
    probe: createProbe(deps),
    unwanted: connectors
      .filter(({ revoke }) => revoke !== undefined)
      .map((connector) => {
        const { name } = connector.description;
        return {
          authority: name,
          async due(now, limit) {
            if (!(await reachable()).has(name)) return [];
            return (await deps.attempts.unwanted(name, now, limit)).map(({ serialNumber }) => serialNumber);
          },
          complete: (intent, serialNumber) => revokeUnwanted(deps, connector, intent, serialNumber),
        };
      }),
  };
}
