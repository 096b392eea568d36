import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { buildPart, compileAll } from './build.mjs';
import { root } from './command.mjs';
import { requireNode } from './node-version.mjs';
import { installPackages } from './npm-packages.mjs';
import { buildPkcs11 } from './pkcs11.mjs';
import { runEntry, SetupError, step } from './report.mjs';
import { installTestPackages } from './system-packages.mjs';

/** `npm test`: installs what the tests need, builds, runs everything. Its last line is `N passed, N failed`. */
await runEntry(async () => {
  try {
    return await everything();
  } catch (error) {
    process.stderr.write(`\n${error instanceof SetupError ? error.message : error.stack}\n`);
    process.stdout.write('\n0 passed, 1 failed\n');
    return 1;
  }
});

async function everything() {
  requireNode();
  await installPackages();
  await installTestPackages();
  await buildPkcs11();
  await buildPart('Generating the database client');
  let complaints = null;
  await step('Compiling everything', async () => {
    complaints = await compileAll();
  });
  await buildPart('Building the console');
  const runner = join(root, 'infra', 'dist', 'checks', 'run.js');
  if (existsSync(runner)) return (await import(runner)).runChecks(complaints, process.argv.slice(2));
  process.stdout.write(`${complaints}\n\n0 passed, 1 failed\n`);
  return 1;
}
