import type { KnownServer } from '../store/document.ts';
import type { Facts } from './facts.ts';
import type { Finding } from './finding.ts';
import { findingsOf } from './findings.ts';
import { gather, type Probes } from './probes.ts';

/** What a server is told: no facts that it has no use for, and nothing of other servers. */
export interface DoctorReport {
  readonly agentVersion: string;
  /** RFC 3339 */
  readonly checkedAt: string;
  readonly tpm: { readonly manufacturer: string; readonly firmware: string; readonly revision: string } | null;
  readonly findings: readonly Omit<Finding, 'server'>[];
}

export interface Examination {
  readonly facts: Facts;
  readonly findings: readonly Finding[];
}

/**
 * Looks at the whole device. Nobody else of this process may have the TPM open meanwhile: on one without a resource
 * manager there is room for one client.
 */
export async function examine(
  probes: Probes,
  where: { readonly tpm: string | undefined; readonly store: string | undefined },
  known: readonly KnownServer[],
  now: Date,
): Promise<Examination> {
  const facts = await gather(probes, where, known, now);
  return { facts, findings: findingsOf(facts) };
}

const TEXT_MAX = 500;

export function reportFor(url: string, agentVersion: string, { facts, findings }: Examination): DoctorReport {
  const { tpm } = facts;
  return {
    agentVersion,
    checkedAt: facts.checkedAt.toISOString(),
    tpm: tpm.answers
      ? { manufacturer: tpm.facts.manufacturer, firmware: tpm.facts.firmware, revision: tpm.facts.revision }
      : null,
    findings: findings
      .filter(({ server }) => server === null || server === url)
      .map(({ check, level, message, advice }) => ({
        check,
        level,
        message: message.slice(0, TEXT_MAX),
        advice: advice?.slice(0, TEXT_MAX) ?? null,
      })),
  };
}
