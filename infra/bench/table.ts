/** One comparison, both sides measured in the same run. */
export interface Row {
  readonly what: string;
  readonly ours: string;
  /** The floor or the peer. */
  readonly floor: string;
  /** Ours to theirs; more is better. */
  readonly ratio: number;
  readonly aim: number;
}

const HEAD = ['what', 'ours', 'floor or peer', 'ratio', 'aim'];

export function formatTable(rows: readonly Row[]): string {
  const cells = rows.map(({ what, ours, floor, ratio, aim }) => [what, ours, floor, ratio.toFixed(2), aim.toFixed(2)]);
  const widths = HEAD.map((head, column) => Math.max(head.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '-'.repeat(width));
  return `${[HEAD, rule, ...cells].map(line).join('\n')}\n`;
}
