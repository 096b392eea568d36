/** What a person approves with one card so that the PIN of another card of theirs can be set anew. */
export interface UnblockApproval {
  readonly sessionId: string;
  /** 32 bytes of the server, for this approval alone. */
  readonly nonce: Uint8Array;
  /** Of the card that is to get a new PIN, and the device that it is on. */
  readonly serial: string;
  readonly hostName: string;
  /** RFC 3339. */
  readonly requestedAt: string;
  readonly approvingSerial: string;
  /** Of the key that signs. */
  readonly certificateId: string;
}

const TITLE = 'Cardwright: another card of mine may get a new PIN, v1';

/**
 * The statement that the approving card's key signs. Both ends write it for themselves, of facts that were shown: a card
 * signs no digest that a server chose. Its beginning is that of nothing else such a key signs: a DER structure (PKCS #10,
 * CMS) starts with 0x30 or 0x31, what TLS 1.3 signs with 64 spaces (RFC 8446, 4.4.3). Throws RangeError for a value that
 * would make another line.
 */
export function unblockApprovalStatement(approval: UnblockApproval): Uint8Array {
  const lines = [
    TITLE,
    `session ${approval.sessionId}`,
    `nonce ${Array.from(approval.nonce, (byte) => byte.toString(16).padStart(2, '0')).join('')}`,
    `card ${approval.serial}`,
    `device ${approval.hostName}`,
    `requested ${approval.requestedAt}`,
    `approved by ${approval.approvingSerial}`,
    `with certificate ${approval.certificateId}`,
  ];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (lines.some((line) => /[\u0000-\u001f\u007f]/.test(line))) {
    throw new RangeError('a value of an approval has a control character');
  }
  return new TextEncoder().encode(`${lines.join('\n')}\n`);
}
