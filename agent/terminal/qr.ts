import { DomainError } from '@cardwright/protocol';
import { encode } from 'uqr';

/** Light modules around it (ISO/IEC 18004, 6.3.8). */
const QUIET = 4;
/** More than a card's challenge takes (45): it is asked before anything is done, and holds for longer ones, too. */
export const QR_COLUMNS = 61;

/**
 * The text as a QR code of half blocks: two rows of it in a line, of which the blocks are the light part, as it has to be on
 * a dark terminal. On a light one the code is a negative of itself, which readers of today take as well. Upper-case letters,
 * digits and spaces make the smallest code.
 */
export function qrText(text: string): string {
  const { data, size } = encode(text, { ecc: 'M', border: QUIET });
  const light = (row: number, column: number) => row < size && data[row]?.[column] === false;
  const lines: string[] = [];
  for (let row = 0; row < size; row += 2) {
    let line = '';
    for (let column = 0; column < size; column++) {
      const below = light(row + 1, column);
      line += light(row, column) ? (below ? '█' : '▀') : below ? '▄' : ' ';
    }
    lines.push(line);
  }
  return lines.join('\n');
}

/** `columns`: of the terminal; null where there is none. Throws `terminal-too-narrow` (conflict). */
export function demandRoomForQr(columns: number | null): void {
  if (columns === null || columns >= QR_COLUMNS) return;
  throw new DomainError(
    'conflict',
    'terminal-too-narrow',
    `A QR code needs a terminal of ${QR_COLUMNS} columns; this one has ${columns}. Widen it, or leave --qr out and read ` +
      'the challenge as text.',
  );
}
