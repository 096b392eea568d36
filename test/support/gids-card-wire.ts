/** The bytes of the virtual GIDS card: a reader of its own, so that the agent's is judged by something that is not it. */
export interface ParsedCommand {
  readonly cla: number;
  readonly ins: number;
  readonly p1: number;
  readonly p2: number;
  readonly data: Buffer;
}

/** ISO/IEC 7816-3 section 12.1.3, cases 1 to 4, short and extended. Null: no command. */
export function parseCommand(bytes: Buffer): ParsedCommand | null {
  if (bytes.length < 4) return null;
  const [cla = 0, ins = 0, p1 = 0, p2 = 0] = bytes;
  const head = { cla, ins, p1, p2 };
  const rest = bytes.subarray(4);
  if (rest.length <= 1) return { ...head, data: Buffer.alloc(0) };
  const extended = rest[0] === 0 && rest.length >= 3;
  const [start, length] = extended ? [3, rest.readUInt16BE(1)] : [1, rest[0] ?? 0];
  if (extended && rest.length === 3) return { ...head, data: Buffer.alloc(0) };
  const left = rest.length - start - length;
  if (left !== 0 && left !== (extended ? 2 : 1)) return null;
  return { ...head, data: Buffer.from(rest.subarray(start, start + length)) };
}

export function ber(tag: number, value: Buffer): Buffer {
  const name = tag > 0xff ? [tag >> 8, tag & 0xff] : [tag];
  const size = value.length;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([...name, ...length]), value]);
}

/** The value of the first object of that tag on this level. */
export function findTag(bytes: Buffer, tag: number): Buffer | null {
  for (let at = 0; at + 1 < bytes.length; ) {
    const long = ((bytes[at] ?? 0) & 0x1f) === 0x1f;
    const found = long ? bytes.readUInt16BE(at) : (bytes[at] ?? 0);
    at += long ? 2 : 1;
    const first = bytes[at] ?? 0;
    const extra = first < 0x80 ? 0 : first & 0x7f;
    if (extra > 2 || at + 1 + extra > bytes.length) return null;
    const length = extra === 0 ? first : bytes.readUIntBE(at + 1, extra);
    at += 1 + extra;
    if (at + length > bytes.length) return null;
    if (found === tag) return Buffer.from(bytes.subarray(at, at + length));
    at += length;
  }
  return null;
}
