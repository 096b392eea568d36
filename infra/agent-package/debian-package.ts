import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inRepository } from '../repository/root.ts';
import { layOut, type SingleFile } from './package-tree.ts';

/** `none` is for tests: quick to make, large. */
export type Compression = 'xz' | 'zstd' | 'gzip' | 'none';

/** Makes `<folder>/cardwright-agent_<version>_<architecture>.deb` from the agent in one file, and gives its path. */
export function makeDebianPackage(folder: string, agent: SingleFile, compression: Compression): string {
  const work = mkdtempSync(join(tmpdir(), 'cardwright-deb-'));
  try {
    const root = join(work, 'root');
    mkdirSync(root, { mode: 0o755 });
    const { version, architecture } = layOut(root, agent);
    const deb = join(folder, `cardwright-agent_${version}_${architecture}.deb`);
    execFileSync('dpkg-deb', [`-Z${compression}`, '--root-owner-group', '--build', root, deb], {
      stdio: 'pipe',
      env: { ...process.env, SOURCE_DATE_EPOCH: process.env.SOURCE_DATE_EPOCH ?? timeOfCommit() },
    });
    return deb;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The times within are those of the source, so that the same source makes the same package. */
function timeOfCommit(): string {
  try {
    return execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: inRepository(), encoding: 'utf8' }).trim();
  } catch {
    // Not from a clone: any fixed time will do.
    return '1767225600';
  }
}
