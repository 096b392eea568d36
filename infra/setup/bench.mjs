import { build } from './build.mjs';
import { requireNode } from './node-version.mjs';
import { installPackages } from './npm-packages.mjs';
import { buildPkcs11 } from './pkcs11.mjs';
import { runEntry } from './report.mjs';
import { installBenchPackages } from './system-packages.mjs';

/** `npm run bench`: ours beside a floor or a peer, both measured in the same run. */
await runEntry(async () => {
  requireNode();
  await installPackages();
  if (await installBenchPackages()) await buildPkcs11();
  await build();
  const { main } = await import('../dist/bench/main.js');
  return main(process.argv.slice(2));
});
