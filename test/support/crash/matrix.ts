import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inRepository } from '@cardwright/infra';

/**
 * Crash matrices: every point of an act × everyone who can die there. How to write one (test/faults has examples):
 *
 *     const tapped = await startTappedSystem();               // tapped-system.ts: cms, vault, ca, postgres behind taps
 *     const points = await tapped.crossings.trace(act);       // names of all that another process could see, in order
 *     await runMatrix({
 *       title: 'import',
 *       points,
 *       victims: ['command', 'cms', 'vault', 'postgres'],
 *       kill: async (point, victim) => {
 *         await killAt(tapped.crossings, point, victimOf(victim), act);   // victim.ts
 *         ...the same command again...; ...judge: resets.ts, bothRecordsAgree...
 *       },
 *     });
 *
 * What is no process of the system (a virtual card in the test itself) makes points of its own: call
 * `crossings.cross({ name: 'agent > card: PUT KEY', ends: ['agent', 'card'] }, 'before')` and `'after'`, and give up the
 * exchange when that resolves to true. An act is repeatable: each call is of a person, card or batch of its own, and passes
 * the same points. CARDWRIGHT_FAULTS=whole kills at all of them, else at `sample`.
 */
export interface Matrix {
  readonly title: string;
  readonly points: readonly string[];
  readonly victims: readonly string[];
  /** Kills at that point, lets all recover, and judges. Throws what is wrong. */
  kill(point: string, victim: string): Promise<void>;
  /** For the table: what an `ok` means. */
  readonly judged: string;
  /** Cells that a run of all tests tries; of the others it says that they were not. Default: {@link spread} of six. */
  readonly sample?: readonly Cell[];
}

export type Cell = readonly [point: string, victim: string];

export const whole = process.env.CARDWRIGHT_FAULTS === 'whole';
/** To look at some cells again: those whose point or victim has this in its name. */
const only = process.env.CARDWRIGHT_FAULTS_ONLY ?? '';
export const FEWEST_POINTS = 20;
const RESULTS = inRepository('test', 'results');

/** `count` cells, evenly over the points, each victim in its turn. */
export function spread({ points, victims }: Pick<Matrix, 'points' | 'victims'>, count: number): Cell[] {
  return Array.from({ length: Math.min(count, points.length) }, (_, at): Cell => {
    const point = points[Math.floor(((at + 0.5) * points.length) / count)];
    return [point as string, victims[at % victims.length] as string];
  });
}

/** Kills in every cell, prints the table, and then throws if any cell is not ok. */
export async function runMatrix(matrix: Matrix): Promise<void> {
  const { points, victims } = matrix;
  if (points.length < FEWEST_POINTS) throw new Error(`only ${points.length} points: ${points.join('; ')}`);
  const all = points.flatMap((point) => victims.map((victim): Cell => [point, victim]));
  const wanted = whole ? all : (matrix.sample ?? spread(matrix, 6));
  const cells = wanted.filter((cell) => cell.join(' ').includes(only));
  const results = new Map<string, string>();
  const failures: Error[] = [];
  const began = performance.now();
  const name = matrix.title.replaceAll(/[^a-z0-9]+/gi, '-').toLowerCase();
  const file = join(RESULTS, `crash-matrix-${name}${whole ? '' : '-sample'}.txt`);
  mkdirSync(RESULTS, { recursive: true });
  const write = () => {
    const table = printed(matrix, results, failures, (performance.now() - began) / 1000);
    writeFileSync(file, `${table}\n`);
    return table;
  };
  for (const [point, victim] of cells) {
    try {
      await matrix.kill(point, victim);
      results.set(`${point}\n${victim}`, 'ok');
    } catch (cause) {
      failures.push(new Error(`${victim} killed at: ${point}`, { cause }));
      results.set(`${point}\n${victim}`, `failed ${failures.length}`);
    }
    write(); // a run of hours can be looked at
  }
  console.log(write());
  if (failures.length > 0) {
    throw new AggregateError(failures, failures.map((failure) => `${failure.message}: ${why(failure)}`).join('\n\n'));
  }
}

function printed(
  { title, points, victims, judged }: Matrix,
  results: ReadonlyMap<string, string>,
  failures: readonly Error[],
  seconds: number,
): string {
  const kills = results.size;
  const ok = kills - failures.length;
  const head = [
    `Crash matrix: ${title}`,
    `${points.length} points x ${victims.length} (${victims.join(', ')}); killed ${kills} times: ${ok} ok, ` +
      `${failures.length} failed; ${(seconds / Math.max(1, kills)).toFixed(1)} s a kill, ${seconds.toFixed(0)} s`,
    `ok: ${judged}`,
  ];
  const width = Math.max(...points.map((point) => point.length));
  const row = (number: string, name: string, cells: readonly string[]) =>
    `${number.padStart(4)}  ${name.padEnd(width)}  ${cells.map((cell) => cell.padEnd(9)).join(' ')}`.trimEnd();
  const rows = points.flatMap((point, at) => {
    const cells = victims.map((victim) => results.get(`${point}\n${victim}`));
    const tried = cells.some((cell) => cell !== undefined);
    return tried
      ? [
          row(
            String(at + 1),
            point,
            cells.map((cell) => cell ?? '.'),
          ),
        ]
      : []; // a sample leaves rows out
  });
  const totals = victims.map((victim) => {
    const mine = [...results].filter(([cell]) => cell.endsWith(`\n${victim}`));
    return `${mine.filter(([, result]) => result === 'ok').length}/${mine.length}`;
  });
  const notes = failures.map((failure, at) => `failed ${at + 1}: ${failure.message}: ${why(failure)}`);
  return ['', ...head, '', row('', 'point', victims), ...rows, row('', 'ok of killed', totals), ...notes].join('\n');
}

const why = ({ cause }: Error): string =>
  (cause instanceof Error ? cause.message : String(cause)).split('\n').slice(0, 6).join(' ').slice(0, 600);
