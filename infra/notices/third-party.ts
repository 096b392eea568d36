import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What somebody else wrote and we hand on. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** As its package.json says it: an SPDX expression, mostly. */
  readonly licence: string;
  /** Whole, in the order of the files' names: the licence, and notices where there are some. */
  readonly texts: readonly string[];
}

const FOLDER = '/node_modules/';
const TEXT_FILE = /^(licen[cs]e|copying|notice|copyright)/i;

/**
 * The packages that these files belong to, by name and version. Files outside every node_modules are our own.
 * @param files absolute paths, as a bundler names what went into its output. Throws Error for a package without a licence
 *   text: MIT, BSD and ISC let us hand it on only with their notice.
 */
export function packagesOf(files: Iterable<string>): BundledPackage[] {
  const folders = new Set<string>();
  for (const file of files) {
    const at = file.lastIndexOf(FOLDER);
    if (at === -1) continue;
    const [first = '', second = ''] = file.slice(at + FOLDER.length).split('/');
    folders.add(join(file.slice(0, at), FOLDER, first.startsWith('@') ? join(first, second) : first));
  }
  const found = new Map<string, BundledPackage>();
  for (const folder of folders) {
    const bundled = packageIn(folder);
    found.set(`${bundled.name} ${bundled.version}`, bundled);
  }
  return [...found.values()].sort((a, b) => (`${a.name} ${a.version}` < `${b.name} ${b.version}` ? -1 : 1));
}

function packageIn(folder: string): BundledPackage {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const texts = readdirSync(folder)
    .filter((file) => TEXT_FILE.test(file))
    .sort()
    .map((file) => readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim());
  if (texts.length === 0) throw new Error(`${name} ${version} has no licence file in ${folder}: it can't be bundled.`);
  return { name, version, licence: typeof license === 'string' ? license : 'see below', texts };
}

/** Of a package that `from`'s folder, or one above it, has: for what a bundler adds of its own. Gives its package.json. */
export function installed(name: string, from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const file = join(folder, FOLDER, name, 'package.json');
    try {
      readFileSync(file);
      return file;
    } catch (cause) {
      if (folder === dirname(folder)) throw new Error(`${name} is not installed.`, { cause });
    }
  }
}

const RULE = '-'.repeat(80);

/** The notices, as a text for people. `product`: what holds the packages. */
export function noticesText(product: string, packages: readonly BundledPackage[]): string {
  const parts = packages.map(({ name, version, licence, texts }) =>
    [RULE, `${name} ${version} (${licence})`, '', ...texts].join('\n'),
  );
  return `${[`${product} holds parts of what others wrote, under their licences:`, ...parts].join('\n\n')}\n`;
}
