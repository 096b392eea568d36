import { installed, noticesText, packagesOf } from '@cardwright/infra/notices';
import type { Plugin } from 'vite';

/** Where the console has them: infra's nginx and cms serve it beside index.html, and the page links to it. */
export const NOTICES_FILE = 'third-party-notices.txt';

/** What Vite puts in of its own: `\0vite/preload-helper.js`, `\0rolldown/runtime.js`. */
const VIRTUAL = /^\0(vite|rolldown)\//;

/** Puts the notices of all packages that went into the console's files beside them. */
export function thirdPartyNotices(): Plugin {
  return {
    name: 'third-party-notices',
    apply: 'build',
    generateBundle(_, bundle) {
      const ids = Object.values(bundle).flatMap((output) => (output.type === 'chunk' ? output.moduleIds : []));
      const files = ids.map((id) => {
        const [, builder] = VIRTUAL.exec(id) ?? [];
        return builder === undefined ? (id.split('?')[0] ?? id) : installed(builder, import.meta.dirname);
      });
      this.emitFile({
        type: 'asset',
        fileName: NOTICES_FILE,
        source: noticesText('The console of Cardwright', packagesOf(files)),
      });
    },
  };
}
