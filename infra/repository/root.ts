import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Walks up from this module (which runs from `infra/` and from `infra/dist/`) to the folder that holds the workspaces. */
function findRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).name === 'cardwright') return folder;
    const parent = dirname(folder);
    if (parent === folder) throw new Error('the folder of Cardwright was not found above this module');
    folder = parent;
  }
}

/** The absolute path of the repository (or of the installed product: same folders). */
export const repositoryRoot = findRoot();

export function inRepository(...parts: string[]): string {
  return join(repositoryRoot, ...parts);
}
