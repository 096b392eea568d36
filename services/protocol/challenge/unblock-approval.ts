import { hexOf, statementOf } from './statement.ts';

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

/** The statement that the approving card's key signs. Throws RangeError for a value that would make another line. */
export function unblockApprovalStatement(approval: UnblockApproval): Uint8Array {
  return statementOf(TITLE, {
    session: approval.sessionId,
    nonce: hexOf(approval.nonce),
    card: approval.serial,
    device: approval.hostName,
    requested: approval.requestedAt,
    'approved by': approval.approvingSerial,
    'with certificate': approval.certificateId,
  });
}
