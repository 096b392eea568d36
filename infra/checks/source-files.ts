import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { inRepository } from '../repository/root.ts';
import { fromComplaints, type Outcome } from './outcome.ts';
import { runProgram } from './program.ts';

const MOST_LINES = 400;
const SOURCE = /\.(ts|tsx|mjs|js|css|sql|prisma)$/;
/** Generated; or history: a migration is never edited, so it can't be split either; or the one list of all tables. */
const EXEMPT = /\.gen\.ts$|\/migrations\/|^prisma\/schema\.prisma$/;
const VAGUE_NAME = /^(utils?|helpers?|manager|common|misc|shared)(\.|$)/;

/** What a file without a suffix may not do, beyond its imports (infra/checks/import-rules.mjs): it is pure. */
const IMPURE: readonly { readonly what: string; readonly pattern: RegExp }[] = [
  { what: 'reads the environment', pattern: /\bprocess\.(env|argv|stdin|stdout|stderr)\b/ },
  { what: 'reads the clock', pattern: /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(/ },
  { what: 'sets a timer', pattern: /\bset(Timeout|Interval)\(/ },
  { what: 'uses the network', pattern: /(^|[^.\w])fetch\(/ },
  { what: 'uses unsafe randomness', pattern: /\bMath\.random\(/ },
];
const PURE_FOLDER = /^(services|agent)\//;
const SUFFIX = /\.[a-z0-9-]+\.ts$/;
const ENTRY = /^(services\/[^/]+|agent)\/(main|api|app|worker|wire|config|operators|openapi|client)\.ts$|\/wire\.ts$/;
const TEST_PART = /\/(testing|fixtures)\//;

/** Rules about source files that neither the compiler nor the linter knows. One test a rule. */
export async function checkSourceFiles(): Promise<Outcome> {
  const { stdout } = await runProgram('git', ['ls-files', '--cached', '--others', '--exclude-standard']);
  const files = stdout.split('\n').filter((path) => SOURCE.test(path) && !EXEMPT.test(path));
  const sources = files.flatMap((path) => {
    const text = readIfThere(inRepository(path));
    return text === null ? [] : [{ path, text }];
  });
  return fromComplaints({
    [`no source file has more than ${MOST_LINES} lines`]: sources
      .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
      .filter(({ lines }) => lines > MOST_LINES)
      .map(({ path, lines }) => `${path}: ${lines} lines`),
    'no source file has a vague name': sources
      .map(({ path }) => path)
      .filter((path) => VAGUE_NAME.test(basename(path))),
    'nothing is left to do later': sources.flatMap(({ path, text }) =>
      linesWith(path, text, /\b(TO[D]O|FIX[M]E|X{3})\b/),
    ),
    'files without a suffix are pure': sources.filter(({ path }) => mustBePure(path)).flatMap(impurities),
  });
}

function mustBePure(path: string): boolean {
  return (
    PURE_FOLDER.test(path) && path.endsWith('.ts') && !SUFFIX.test(path) && !ENTRY.test(path) && !TEST_PART.test(path)
  );
}

function impurities({ path, text }: { path: string; text: string }): string[] {
  return IMPURE.flatMap(({ what, pattern }) => linesWith(path, text, pattern).map((where) => `${where} ${what}`));
}

/** Comments are left out: they may speak of what the code must not do. */
function linesWith(path: string, text: string, pattern: RegExp): string[] {
  return text.split('\n').flatMap((line, index) => {
    const code = line.replace(/^\s*(\*|\/\*).*$/, '').replace(/(^|\s)\/\/.*$/, '');
    const searched = pattern.source.includes('TO[D]O') ? line : code;
    return pattern.test(searched) ? [`${path}:${index + 1}`] : [];
  });
}

/** Null for a file that git knows and that has just been deleted. */
function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
