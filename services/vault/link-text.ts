/** How byte strings travel on the link: base64url without padding (RFC 4648, section 5). */
export function text(of: Uint8Array): string {
  return Buffer.from(of.buffer, of.byteOffset, of.byteLength).toString('base64url');
}
