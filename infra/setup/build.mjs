import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { mustRun, packageProgram, root, run } from './command.mjs';
import { step } from './report.mjs';

/** The parts of the build; the tests are compiled by `npm test` only. Each is skipped when the contents of all its sources are those that it was last made from. */
const PARTS = [
  {
    name: 'Generating the database client',
    sources: ['prisma/schema.prisma', 'infra/prisma'],
    result: 'services/cms/platform/generated/client.ts',
    work: () => mustRun(process.execPath, [prisma(), 'generate', '--config', 'infra/prisma/prisma.config.ts'], quietly),
  },
  {
    name: 'Compiling',
    sources: ['services', 'agent', 'infra'],
    result: 'infra/dist/launcher/main.js',
    work: () => mustRun(process.execPath, [typescript(), '-b', 'infra', 'agent', 'services/cms']),
  },
  {
    name: 'Building the console',
    sources: ['web', 'services/protocol'],
    result: 'web/dist/index.html',
    work: () => mustRun(process.execPath, [vite(), 'build', '--logLevel', 'warn'], { cwd: join(root, 'web') }),
  },
];

const quietly = { env: { ...process.env, PRISMA_HIDE_UPDATE_MESSAGE: '1', CHECKPOINT_DISABLE: '1' } };
const prisma = () => packageProgram('prisma', 'build/index.js');
const typescript = () => packageProgram('typescript', 'bin/tsc');
const vite = () => packageProgram('vite', 'bin/vite.js');

const IGNORED_FOLDERS = new Set(['node_modules', 'dist', 'generated', 'results']);
const SOURCE = /\.(ts|tsx|mts|js|mjs|json|css|html|svg|png|prisma)$/;

/** Builds what is not up to date. Error: what the failing program said. */
export async function build() {
  for (const part of PARTS) {
    const stamp = join(
      root,
      'node_modules',
      '.cardwright-build',
      `${createHash('sha256').update(part.name).digest('hex').slice(0, 12)}`,
    );
    const state = digest(part.sources);
    const last = existsSync(stamp) ? readFileSync(stamp, 'utf8') : null;
    if (last === state && existsSync(join(root, part.result))) continue;
    await step(part.name, async () => {
      await part.work();
    });
    mkdirSync(dirname(stamp), { recursive: true });
    writeFileSync(stamp, state);
  }
}

/** Compiles everything, tests too, and gives the compiler's complaints instead of failing; null when there are none. */
export async function compileAll() {
  const { code, output } = await run(process.execPath, [typescript(), '-b', '--pretty', 'false']);
  return code === 0 ? null : output.trimEnd();
}

export async function buildPart(name) {
  const part = PARTS.find((candidate) => candidate.name === name);
  await step(part.name, async () => {
    await part.work();
  });
}

/** One digest of the names and contents of all source files. Contents, not times: a fresh checkout has new times. */
function digest(sources) {
  const hash = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')));
  for (const source of sources) {
    const path = join(root, source);
    if (!existsSync(path)) continue;
    for (const file of statSync(path).isDirectory() ? filesBelow(path) : [path]) {
      hash.update(`${relative(root, file)}\0`).update(createHash('sha256').update(readFileSync(file)).digest());
    }
  }
  return hash.digest('hex');
}

function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory())
        return IGNORED_FOLDERS.has(entry.name) || entry.name.startsWith('.') ? [] : filesBelow(path);
      return SOURCE.test(entry.name) ? [path] : [];
    });
}
