import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { removeCluster } from '../database/cluster-folder.ts';
import { type System, startSystem } from '../launcher/system.ts';
import { measureAgentProgram } from './agent-program.ts';
import { measureAuditorQueries } from './auditor-queries.ts';
import { measureCaIssuance } from './ca-issuance.ts';
import { measureCardImport } from './card-import.ts';
import { measureCardMaking } from './card-making.ts';
import { measureCertificates } from './certificates.ts';
import { fuzzParsers } from './fuzzing.ts';
import { measureKekRotation } from './kek-rotation.ts';
import { measureStatus } from './status.ts';
import { formatTable, type Row } from './table.ts';
import { measureUnblockResponses } from './unblock-responses.ts';
import { measureVaultAnswers } from './vault-answers.ts';

/** The vault counts every answer as ever; it only does not stop at so many an hour. */
const WITHOUT_LIMITS = {
  VAULT_LIMIT_PER_CARD: '100000000',
  VAULT_LIMIT_PER_REQUESTER: '100000000',
  VAULT_LIMIT_IN_ALL: '100000000',
};
/** The limit is one address's: the load comes from many, by the word of a proxy. */
const MANY_ADDRESSES = { CMS_TRUSTED_PROXIES: '127.0.0.1' };
/** Of certificates that an auditor asks about: flat from the first on. `BENCH=large` adds the last, which takes half an hour. */
const AUDITED = [10_000, 1_000_000, ...(process.env.BENCH === 'large' ? [10_000_000] : [])];
/** Stored administrator keys of a large fleet. */
const KEYS = 100_000;
/** In one import by the command line; its memory does not grow with them. */
const CARDS = 10_000;

/** `npm run bench [-- --requests N]`: a system of its own, durable as in production, deleted afterwards. */
export async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...argv], options: { requests: { type: 'string' } } });
  const requests = Number(values.requests ?? 6000);
  if (!Number.isInteger(requests) || requests < 100) {
    process.stderr.write('--requests must be a whole number, at least 100: the requests of one round\n');
    return 2;
  }
  const dataDir = mkdtempSync(join(tmpdir(), 'cardwright-bench-'));
  chmodSync(dataDir, 0o711);
  process.stdout.write(
    `Measuring on ${cpus().length} cores, Node ${process.versions.node}; this takes about four minutes …\n`,
  );
  let system: System | null = null;
  try {
    system = await startSystem({ dataDir, environment: { vault: WITHOUT_LIMITS, cms: MANY_ADDRESSES } });
    const rows: Row[] = [
      await measureUnblockResponses(system, requests),
      await measureVaultAnswers(system, requests * 4),
      await measureCardImport(system, CARDS),
      await measureKekRotation(system, KEYS),
      ...(await measureCaIssuance(system, requests)),
      ...(await measureCertificates(system, Math.ceil(requests / 6))),
      ...(await measureStatus(requests * 10)),
      ...(await measureAgentProgram(system)),
      // Last: it leaves a large database.
      ...(await measureAuditorQueries(system, AUDITED)),
      ...(await measureCardMaking()),
    ];
    process.stdout.write(`\n${formatTable(rows)}\n`);
    process.stdout.write(fuzzParsers());
    return 0;
  } finally {
    await system?.stop();
    removeCluster(join(dataDir, 'postgres'));
    rmSync(dataDir, { recursive: true, force: true });
  }
}
