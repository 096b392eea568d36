import type { Checkpoint } from '../record/checkpoint.ts';
import type { Head } from '../record/entry.ts';
import { type CmsEvent, compareRecords, type Difference, type RecordedUse } from './compare.ts';
import { eventsByRequest, lastEvent, recordEntries, usesByRequest } from './cursor.pg.ts';
import { openEventExport } from './export.file.ts';
import { type Finding, verifyRecord } from './verify.ts';

export type CmsLog = { readonly databaseUrl: string } | { readonly exportFile: string };

export interface AuditOptions {
  /** A role that may read the schema `vault`. */
  readonly databaseUrl: string;
  /** Null: the record is verified, and compared with nothing. */
  readonly cmsLog: CmsLog | null;
  readonly checkpoint: Checkpoint | undefined;
  readonly onFinding: (finding: Finding | Difference) => void;
}

export interface AuditSummary {
  /** Entries of the record, decimal. */
  readonly entries: string;
  readonly findings: number;
  readonly differences: number;
  readonly compared: boolean;
  /** Uses outside of the export's window. */
  readonly notCompared: number;
  readonly withCheckpoint: boolean;
}

/** Verifies the whole record, then compares it with cms's log. Memory does not grow with either. */
export async function audit(options: AuditOptions): Promise<AuditSummary> {
  const { databaseUrl, cmsLog, checkpoint, onFinding } = options;
  const settledThrough = cmsLog !== null && 'databaseUrl' in cmsLog ? await lastEvent(cmsLog.databaseUrl) : 0n;
  let findings = 0;
  const checking = verifyRecord(recordEntries(databaseUrl), checkpoint);
  let head: Head;
  for (;;) {
    const step = await checking.next();
    if (step.done === true) {
      head = step.value;
      break;
    }
    if (step.value.kind !== 'acknowledged') findings += 1;
    onFinding(step.value);
  }
  const compared =
    cmsLog === null ? { differences: 0, notCompared: 0 } : await compare(options, cmsLog, head, settledThrough);
  return {
    entries: String(head.sequence),
    findings,
    ...compared,
    compared: cmsLog !== null,
    withCheckpoint: checkpoint !== undefined,
  };
}

async function compare(options: AuditOptions, log: CmsLog, { sequence }: Head, settledThrough: bigint) {
  let [differences, notCompared] = [0, 0];
  async function run(uses: AsyncIterable<RecordedUse>, events: AsyncIterable<CmsEvent>): Promise<void> {
    for await (const difference of compareRecords(uses, events)) {
      differences += 1;
      options.onFinding(difference);
    }
  }
  const uses = usesByRequest(options.databaseUrl, sequence);
  if ('databaseUrl' in log) {
    await run(uses, eventsByRequest(log.databaseUrl, settledThrough));
    return { differences, notCompared };
  }
  const exported = await openEventExport(log.exportFile);
  try {
    const { oldest, newest } = exported;
    async function* within(): AsyncGenerator<RecordedUse> {
      for await (const use of uses) {
        if (oldest !== null && newest !== null && use.at >= oldest && use.at <= newest) yield use;
        else notCompared += 1;
      }
    }
    await run(within(), exported.events);
  } finally {
    await exported.close();
  }
  return { differences, notCompared };
}
