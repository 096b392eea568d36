import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { inject } from 'postject';
import { noticesText, packagesOf } from '../notices/third-party.ts';
import { inRepository } from '../repository/root.ts';

/** What Node looks for in itself: https://nodejs.org/docs/latest-v20.x/api/single-executable-applications.html */
const SENTINEL = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/**
 * Makes the agent one executable file at `target`: this very Node with the compiled agent inside, and with V8's cache of
 * it, so that a start compiles nothing. The agent must have been compiled (`npm run build`). Nothing is stripped: that
 * would take the place away where Node looks. Gives the notices of what others wrote in it, Node apart; they are in the file
 * itself too, as a comment of the program.
 */
export async function makeSingleFile(target: string): Promise<string> {
  const work = mkdtempSync(join(tmpdir(), 'cardwright-sea-'));
  try {
    const notices = await bundle(join(work, 'agent.cjs'));
    // Names without a folder: they go in, and would tell of the builder's machine.
    const config = {
      main: 'agent.cjs',
      output: 'agent.blob',
      disableExperimentalSEAWarning: true,
      useCodeCache: true,
    };
    writeFileSync(join(work, 'sea.json'), JSON.stringify(config));
    // Without a seed of its own V8 lays its cache out anew each time; the seed is no part of what it compares at the start.
    execFileSync(process.execPath, ['--random-seed=1', '--experimental-sea-config', 'sea.json'], {
      stdio: 'pipe',
      cwd: work,
    });
    const blob = readFileSync(join(work, 'agent.blob'));
    const executable = join(work, 'cardwright-agent');
    copyFileSync(process.execPath, executable);
    await quietly(() => inject(executable, 'NODE_SEA_BLOB', blob, { sentinelFuse: SENTINEL }));
    // Under the name it is called by only when it is whole.
    const beside = `${target}.new`;
    copyFileSync(executable, beside);
    chmodSync(beside, 0o755);
    renameSync(beside, target);
    return notices;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** One script of all that the agent imports; Node's own modules stay outside. */
async function bundle(outfile: string): Promise<string> {
  const { metafile } = await build({
    entryPoints: [inRepository('agent', 'dist', 'main.js')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    // Names stay: what CARDWRIGHT_DEBUG=1 shows must be readable.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'inline',
    logLevel: 'silent',
    absWorkingDir: inRepository(),
    metafile: true,
  });
  const files = Object.keys(metafile.inputs).map((file) => inRepository(file));
  const notices = noticesText('cardwright-agent', packagesOf(files));
  appendFileSync(outfile, `\n/*!\n${notices.replaceAll('*/', '* /')}*/\n`);
  return notices;
}

/** postject warns, on the console, of sections of Node's that it can't name; they are none of its concern. */
async function quietly(work: () => Promise<void>): Promise<void> {
  const { warn, error } = console;
  const said: unknown[][] = [];
  console.warn = (...words) => said.push(words);
  console.error = (...words) => said.push(words);
  try {
    await work();
  } catch (failure) {
    for (const words of said) error(...words);
    throw failure;
  } finally {
    Object.assign(console, { warn, error });
  }
}
