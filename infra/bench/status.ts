import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCaAlone, startCaDatabase } from './ca-alone.ts';
import { measureCrls } from './crl.ts';
import { measureOcsp } from './ocsp.ts';
import type { Row } from './table.ts';

const CRL_ENTRIES = [100_000, 1_000_000];

/** OCSP and CRLs of the ca alone, on databases of its own, which are deleted afterwards. */
export async function measureStatus(answers: number): Promise<readonly Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'cardwright-bench-status-'));
  chmodSync(folder, 0o711);
  try {
    const database = await startCaDatabase(folder);
    let ocsp: readonly Row[];
    try {
      const ca = await startCaAlone(folder, database.caUrl);
      ocsp = await measureOcsp(ca, folder, answers).finally(() => ca.stop());
    } finally {
      await database.stop();
    }
    return [...ocsp, ...(await measureCrls(folder, CRL_ENTRIES))];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
