import { build } from './build.mjs';
import { requireNode } from './node-version.mjs';
import { installPackages } from './npm-packages.mjs';
import { runEntry } from './report.mjs';

/** `npm run bench`: ours beside a floor or a peer, both measured in the same run. */
await runEntry(async () => {
  requireNode();
  await installPackages();
  await build();
  const { main } = await import('../dist/bench/main.js');
  return main(process.argv.slice(2));
});
