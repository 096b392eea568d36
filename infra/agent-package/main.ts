import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { inRepository } from '../repository/root.ts';
import { type Compression, makeDebianPackage } from './debian-package.ts';
import { makeSingleFile } from './single-file.ts';

const COMPRESSIONS: readonly string[] = ['xz', 'zstd', 'gzip', 'none'] satisfies Compression[];

/** `npm run agent:package [-- --out DIR] [--compression xz] [--no-deb]` */
export async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      out: { type: 'string', default: inRepository('dist') },
      compression: { type: 'string', default: 'xz' },
      'no-deb': { type: 'boolean', default: false },
    },
  });
  if (!COMPRESSIONS.includes(values.compression)) {
    process.stderr.write(`--compression is one of ${COMPRESSIONS.join(', ')}\n`);
    return 2;
  }
  const folder = resolve(values.out);
  mkdirSync(folder, { recursive: true });
  const executable = join(folder, 'cardwright-agent');
  const notices = await makeSingleFile(executable);
  writeFileSync(join(folder, 'THIRD-PARTY-NOTICES.txt'), notices);
  announce(executable);
  if (!values['no-deb'])
    announce(makeDebianPackage(folder, { executable, notices }, values.compression as Compression));
  return 0;
}

function announce(path: string): void {
  process.stdout.write(`${path}  ${Math.ceil(statSync(path).size / 1024 / 1024)} MB\n`);
}
