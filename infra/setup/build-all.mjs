import { build } from './build.mjs';
import { requireNode } from './node-version.mjs';
import { installPackages } from './npm-packages.mjs';
import { runEntry } from './report.mjs';

/** `npm run build`: what `npm start` builds, without starting it. */
await runEntry(async () => {
  requireNode();
  await installPackages();
  await build();
});
