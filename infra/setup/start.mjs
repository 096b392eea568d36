import { build } from './build.mjs';
import { requireNode } from './node-version.mjs';
import { installPackages } from './npm-packages.mjs';
import { runEntry } from './report.mjs';
import { installDevicePackages } from './system-packages.mjs';

/** `npm start`: from a checkout and Node alone to the running system. */
await runEntry(async () => {
  requireNode();
  await installPackages();
  await installDevicePackages();
  await build();
  const { main } = await import('../dist/launcher/main.js');
  return main(process.argv.slice(2));
});
