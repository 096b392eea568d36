import { build } from './build.mjs';
import { mustRun, packageProgram } from './command.mjs';
import { requireNode } from './node-version.mjs';
import { installPackages } from './npm-packages.mjs';
import { buildPkcs11 } from './pkcs11.mjs';
import { runEntry } from './report.mjs';
import { installTestPackages } from './system-packages.mjs';

/** `npm run faults`: kills processes at every step of everything. `npm test` runs a sample of the same tests. */
await runEntry(async () => {
  requireNode();
  await installPackages();
  await installTestPackages();
  await buildPkcs11();
  await build();
  await mustRun(process.execPath, [packageProgram('vitest', 'vitest.mjs'), 'run', '--project=faults'], {
    stdio: 'inherit',
    env: { ...process.env, CARDWRIGHT_FAULTS: 'whole' },
  });
});
