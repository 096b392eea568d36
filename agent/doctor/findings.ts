import type { Facts } from './facts.ts';
import type { Finding } from './finding.ts';
import { leftOverFindings } from './left-over-findings.ts';
import { machineFindings } from './machine-findings.ts';
import { serverFindings } from './server-findings.ts';
import { storeFindings } from './store-findings.ts';
import { tpmFindings } from './tpm-findings.ts';

/** What the facts mean for cards, and what to do. In the order in which things are best put right. */
export function findingsOf(facts: Facts): readonly Finding[] {
  return [
    ...machineFindings(facts),
    ...tpmFindings(facts),
    ...storeFindings(facts),
    ...leftOverFindings(facts),
    ...facts.servers.flatMap(serverFindings),
  ];
}
