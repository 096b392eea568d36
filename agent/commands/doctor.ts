import { DomainError, isDomainError } from '@cardwright/protocol';
import { flag } from '../arguments.ts';
import { type Finding, worstOf } from '../doctor/finding.ts';
import { type Examination, examine, reportFor } from '../doctor/report.ts';
import type { KnownServer } from '../store/document.ts';
import { type Context, command, deviceOptions, jsonOption } from './command.ts';

/** Reporting is in passing: the findings are shown in any case. */
const REPORT_TIMEOUT_MS = 5_000;

export const doctorCommand = command({
  name: 'doctor',
  summary: 'look whether this device is ready for cards, and say what to do',
  about:
    'Looks at the TPM (also by making a PIN index and removing it again), at the way to it, at the store and at each ' +
    'server that the store knows. Each line is ok, a warning (cards work, something is worth doing) or a problem (cards ' +
    "can't be made or used); with a problem the command ends with 4. Changes nothing, needs no PIN and no server.",
  options: {
    report: flag('send the findings to the servers of the cards, which show them with the device'),
    ...deviceOptions,
    ...jsonOption,
  },
  examples: [
    'cardwright-agent doctor',
    'cardwright-agent doctor --json | jq -r \'.findings[] | select(.level != "ok")\'',
  ],
  run: async (context, options) => {
    const servers = serversOf(context, options.store);
    const examination = await examine(context.probes, options, servers, context.now());
    const { facts, findings } = examination;
    const level = worstOf(findings);
    const told = options.report ? await tell(context, servers, examination) : [];
    if (options.json) {
      const { checkedAt, machine, tpm, store, servers: reached } = facts;
      const shown = { checkedAt, machine, tpm, store, servers: reached };
      context.output.print(JSON.stringify({ level, findings, reported: told, facts: shown }, null, 2));
    } else {
      context.output.print(findings.map(linesOf).join('\n'));
      for (const { url, problem } of told) {
        context.output.note(problem === null ? `Reported to ${url}.` : `Not reported to ${url} (${problem}).`);
      }
    }
    const problems = findings.filter((finding) => finding.level === 'problem');
    if (problems.length === 0) return;
    const checks = problems.map(({ check }) => check).join(', ');
    throw new DomainError('conflict', 'device-not-ready', `This device is not ready for cards: ${checks}.`);
  },
});

/** A store that can't be read is a finding, not the end. */
function serversOf(context: Context, directory: string | undefined): readonly KnownServer[] {
  try {
    return context.readStore(directory).document.servers;
  } catch (error) {
    if (isDomainError(error)) return [];
    throw error;
  }
}

/** Sends each server its part. For each: the code of what went wrong, or null. Never throws because one is away. */
export async function tell(
  context: Context,
  servers: readonly KnownServer[],
  examination: Examination,
): Promise<{ url: string; problem: string | null }[]> {
  return Promise.all(
    servers.map(async (known) => {
      const { url } = known;
      const server = context.server(known, { timeoutMs: REPORT_TIMEOUT_MS, attempts: 1 });
      try {
        await server.reportReadiness(reportFor(url, context.probes.agentVersion, examination));
        return { url, problem: null };
      } catch (error) {
        if (!isDomainError(error)) throw error;
        return { url, problem: error.code };
      }
    }),
  );
}

const MARK = { ok: 'ok      ', warning: 'warning ', problem: 'PROBLEM ' } as const;

function linesOf({ check, level, message, advice }: Finding): string {
  const line = `${MARK[level]} ${check}: ${message}`;
  return advice === null || level === 'ok' ? line : `${line}\n          -> ${advice}`;
}
