import { build } from './build.mjs';
import { requireNode } from './node-version.mjs';
import { installPackages } from './npm-packages.mjs';
import { runEntry } from './report.mjs';

/** `npm run agent:package`: the agent as one file, and as a Debian package. */
await runEntry(async () => {
  requireNode();
  await installPackages();
  await build();
  const { main } = await import('../dist/agent-package/main.js');
  return main(process.argv.slice(2));
});
