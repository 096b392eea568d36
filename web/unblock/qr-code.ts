import { encode } from 'uqr';

export interface QrCode {
  /** Modules on a side, the quiet zone of four included (ISO/IEC 18004, 6.3.8). */
  readonly size: number;
  /** The dark modules, as the data of an SVG path: a horizontal run each. */
  readonly path: string;
}

/** Upper-case letters, digits and spaces make the smallest code, so lines are joined by spaces: they are read all the same. */
export function qrCode(lines: readonly string[]): QrCode {
  const { data, size } = encode(lines.join(' '), { ecc: 'M', border: 4 });
  const runs: string[] = [];
  data.forEach((row, y) => {
    for (let x = 0; x < size; x++) {
      const start = x;
      while (row[x]) x++;
      if (x > start) runs.push(`M${start} ${y}h${x - start}v1h-${x - start}z`);
    }
  });
  return { size, path: runs.join('') };
}
