import { build } from './build.mjs';
import { mustRun, packageProgram } from './command.mjs';
import { requireNode } from './node-version.mjs';
import { installPackages } from './npm-packages.mjs';
import { runEntry } from './report.mjs';
import { installTestPackages } from './system-packages.mjs';

/** `npm run faults`: only the tests that kill processes at every step. `npm test` runs them as well. */
await runEntry(async () => {
  requireNode();
  await installPackages();
  await installTestPackages();
  await build();
  await mustRun(process.execPath, [packageProgram('vitest', 'vitest.mjs'), 'run', '--project=faults'], {
    stdio: 'inherit',
  });
});
