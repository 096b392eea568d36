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

/** Fetched at once, for each fetch is a call of the system; a byte is given out once and wiped. */
const POOL_BYTES = 4096;

/** @param random gives that many bytes of a cryptographic generator. @returns the same, from a pool */
export function pooledRandom(random: (bytes: number) => Buffer): (bytes: number) => Buffer {
  let pool: Buffer = Buffer.alloc(0);
  return (bytes) => {
    if (bytes > POOL_BYTES) return random(bytes);
    if (pool.length < bytes) pool = random(POOL_BYTES);
    const taken = Buffer.from(pool.subarray(0, bytes));
    pool.fill(0, 0, bytes);
    pool = pool.subarray(bytes);
    return taken;
  };
}
