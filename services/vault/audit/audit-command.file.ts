import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { DomainError, isDomainError } from '@cardwright/protocol';
import { readCheckpointFile } from '../record/checkpoint.file.ts';
import { readCheckpointPath } from '../record/record.env.ts';
import { type AuditSummary, audit, type CmsLog } from './audit.pg.ts';
import type { Difference } from './compare.ts';
import type { Finding } from './verify.ts';

export const AUDIT_USAGE =
  'audit [--cms-database-url-file FILE | --cms-events FILE] [--json]\n' +
  '  verifies the record of the vault (VAULT_DATABASE_URL or VAULT_DATABASE_URL_FILE), held against the checkpoint beside\n' +
  '  VAULT_KEYS_FILE, and compares it with the audit log of cms: its database, or an export of GET /api/v1/audit/events,\n' +
  '  one JSON text a line. Needs no key and no secret of the vault.\n' +
  '  exit status: 0 the record is whole and the two agree, 1 not so, 2 usage, 3 it could not be found out';

/** Of each kind, for a person. */
const SHOWN = 100;

/** @param write takes a line. @returns the exit status. */
export async function runAudit(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  write: (line: string) => void,
): Promise<0 | 1 | 2 | 3> {
  let options: { log: CmsLog | null; json: boolean };
  try {
    options = readArguments(argv);
  } catch (error) {
    write(`${(error as Error).message}\nusage: ${AUDIT_USAGE}`);
    return 2;
  }
  const { log: cmsLog, json } = options;
  try {
    const found = new Map<string, number>();
    const summary = await audit({
      databaseUrl: urlFrom(env),
      cmsLog,
      checkpoint: await readCheckpointFile(readCheckpointPath(env)),
      onFinding(finding) {
        const count = (found.get(finding.kind) ?? 0) + 1;
        found.set(finding.kind, count);
        if (json) write(JSON.stringify(finding));
        else if (count <= SHOWN) write(inWords(finding));
      },
    });
    for (const [kind, count] of found) {
      if (!json && count > SHOWN) write(`${kind}: ${count - SHOWN} more; --json lists all`);
    }
    write(json ? JSON.stringify({ kind: 'summary', ...summary }) : summaryInWords(summary));
    return summary.findings + summary.differences === 0 ? 0 : 1;
  } catch (error) {
    const code = isDomainError(error) ? error.code : 'audit-failed';
    const detail = isDomainError(error) ? error.detail : (error as Error).message;
    write(json ? JSON.stringify({ kind: 'error', code, detail }) : `${code}: ${detail}`);
    return 3;
  }
}

function readArguments(argv: readonly string[]): { log: CmsLog | null; json: boolean } {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      'cms-database-url-file': { type: 'string' },
      'cms-events': { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const { 'cms-database-url-file': urlFile, 'cms-events': exportFile, json } = values;
  if (urlFile !== undefined && exportFile !== undefined) throw new Error('one of the two logs of cms, not both');
  if (exportFile !== undefined) return { log: { exportFile }, json };
  return { log: urlFile === undefined ? null : { databaseUrl: readUrl(urlFile) }, json };
}

function urlFrom({ VAULT_DATABASE_URL_FILE: file, VAULT_DATABASE_URL: url }: NodeJS.ProcessEnv): string {
  if (file !== undefined && file !== '') return readUrl(file);
  if (url !== undefined && url !== '') return url;
  throw new DomainError(
    'unprocessable',
    'configuration-invalid',
    'VAULT_DATABASE_URL or VAULT_DATABASE_URL_FILE must be set.',
  );
}

function readUrl(path: string): string {
  return readFileSync(path, 'utf8').trim();
}

function inWords(finding: Finding | Difference): string {
  switch (finding.kind) {
    case 'only-in-vault': {
      const { sequence, at, operation, cardId, requestedBy, requestId, outcome } = finding.use;
      return `only in the vault: entry ${sequence}, ${at}, ${operation} (${outcome}) of card ${cardId} for ${requestedBy}, request ${requestId}: ${finding.why}`;
    }
    case 'only-in-cms': {
      const { id, time, action, cardId, actorId, requestId } = finding.event;
      return `only in cms: event ${id}, ${time}, ${action} of card ${cardId} by ${actorId}, request ${requestId}: ${finding.why}`;
    }
    default:
      return `${finding.kind}: entry ${finding.sequence}: ${finding.detail}`;
  }
}

function summaryInWords({
  entries,
  findings,
  differences,
  compared,
  notCompared,
  withCheckpoint,
}: AuditSummary): string {
  return [
    `${entries} entries; ${findings === 0 ? 'the chain is whole' : `${findings} places where the record is not what was written`}.`,
    withCheckpoint
      ? ''
      : 'There is no checkpoint beside the keys: who signed, and whether the end is missing, is not known.',
    compared
      ? `${differences === 0 ? 'It agrees with the audit log of cms' : `${differences} differences from the audit log of cms`}.`
      : 'It was compared with nothing: name a log of cms.',
    notCompared === 0 ? '' : `${notCompared} uses are older or newer than the export and were not compared.`,
  ]
    .filter((part) => part !== '')
    .join(' ');
}
