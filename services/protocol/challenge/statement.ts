/**
 * What a card's key signs to say something in its holder's name: a title, then a line a fact. Whoever signs and whoever
 * verifies writes it for themselves, of facts that both know: a card signs no digest that somebody else chose. Its
 * beginning is that of nothing else such a key signs: a DER structure (PKCS #10, CMS) starts with 0x30 or 0x31, what TLS 1.3
 * signs with 64 spaces (RFC 8446, 4.4.3). Throws RangeError for a value that would make another line.
 */
export function statementOf(title: string, facts: Readonly<Record<string, string>>): Uint8Array {
  const lines = [title, ...Object.entries(facts).map(([name, value]) => `${name} ${value}`)];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (lines.some((line) => /[\u0000-\u001f\u007f]/.test(line))) {
    throw new RangeError('a value of a statement has a control character');
  }
  return new TextEncoder().encode(`${lines.join('\n')}\n`);
}

/** Lower-case hexadecimal. */
export const hexOf = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
