/** Crockford's base32 alphabet: without I, L, O and U, which are read or heard as others. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** Bytes that {@link makeCardSerial} uses: one a character, of which five bits count. */
export const CARD_SERIAL_RANDOM_BYTES = 8;

/**
 * A serial such as `CW-7K3M-92QF`: 40 random bits. It names a card and proves nothing; the database's unique index
 * is what keeps two cards from sharing one.
 */
export function makeCardSerial(random: Uint8Array): string {
  if (random.length !== CARD_SERIAL_RANDOM_BYTES)
    throw new Error(`a serial takes ${CARD_SERIAL_RANDOM_BYTES} random bytes`);
  const text = Array.from(random, (byte) => ALPHABET.charAt(byte & 31)).join('');
  return `CW-${text.slice(0, 4)}-${text.slice(4)}`;
}
