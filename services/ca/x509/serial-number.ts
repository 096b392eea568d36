export const SERIAL_BYTES = 16;

/**
 * A serial number of 16 random bytes whose first is not zero, so that every tool prints the same 32 digits. That costs
 * under a hundredth of a bit of the 128. As an INTEGER it takes at most 17 bytes of the 20 allowed (RFC 5280 4.1.2.2).
 * @param random gives that many bytes of a cryptographic generator.
 */
export function newSerialNumber(random: (bytes: number) => Buffer): Buffer {
  for (;;) {
    const serial = random(SERIAL_BYTES);
    if (serial[0] !== 0) return serial;
  }
}

/** 32 lower-case hexadecimal digits. @returns null for anything else: such a serial was never given out. */
export function serialFromText(text: string): Buffer | null {
  return /^(?!00)[0-9a-f]{32}$/.test(text) ? Buffer.from(text, 'hex') : null;
}
