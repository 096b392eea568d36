/** A writer for the little DER (X.690) that a card says: public keys and signatures. */
type Bytes = Uint8Array;

export const SEQUENCE = 0x30;

export function tlv(tag: number, ...contents: readonly Bytes[]): Bytes {
  const length = contents.reduce((sum, part) => sum + part.length, 0);
  const out: number[] = [tag];
  if (length < 0x80) out.push(length);
  else if (length < 0x100) out.push(0x81, length);
  else if (length < 0x10000) out.push(0x82, length >>> 8, length & 0xff);
  else throw new Error('too long for this writer');
  return Uint8Array.from(Buffer.concat([Uint8Array.from(out), ...contents]));
}

/** INTEGER from an unsigned big-endian number: no leading zeros but the one that keeps it positive. */
export function unsignedInteger(bytes: Bytes): Bytes {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const digits = bytes.length === 0 ? Uint8Array.of(0) : bytes.subarray(start);
  return ((digits[0] ?? 0) & 0x80) === 0 ? tlv(0x02, digits) : tlv(0x02, Uint8Array.of(0), digits);
}

export function bitString(bytes: Bytes): Bytes {
  return tlv(0x03, Uint8Array.of(0), bytes);
}

export const NULL = tlv(0x05);

export function objectIdentifier(dotted: string): Bytes {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const body: number[] = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 0x7f];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128))
      groups.unshift((left & 0x7f) | 0x80);
    body.push(...groups);
  }
  return tlv(0x06, Uint8Array.from(body));
}
