import { DomainError, type ErrorKind } from '@cardwright/protocol';

/** SCARD_S_SUCCESS */
export const SUCCESS = 0;
/** SCARD_W_REMOVED_CARD */
export const REMOVED_CARD = 0x80100069;

const MEANINGS: Readonly<Record<number, readonly [ErrorKind, string, string]>> = {
  2148532233: ['unavailable', 'card-reader-unknown', 'There is no card reader of that name (any more).'],
  2148532247: ['unavailable', 'card-reader-unknown', 'The card reader is not available (any more).'],
  2148532235: ['unavailable', 'card-reader-in-use', 'Another program holds the card reader for itself.'],
  2148532236: ['unavailable', 'card-absent', 'There is no card in the reader. Put it in, and try again.'],
  2148532326: ['unavailable', 'card-unresponsive', 'The card does not answer. Take it out and put it in again.'],
  2148532327: ['unavailable', 'card-removed', 'The card lost its power. Put it in again, and try again.'],
  2148532328: ['unavailable', 'card-reset', 'Another program reset the card meanwhile. Try again.'],
  2148532329: ['unavailable', 'card-removed', 'The card was taken out meanwhile. Put it in again, and try again.'],
  // SCARD_E_NOT_TRANSACTED: the reader carried nothing back. A card that was pulled out looks like this.
  2148532246: ['unavailable', 'card-removed', 'The card stopped answering: it may have been taken out. Try again.'],
  // SCARD_E_INVALID_HANDLE: the connection's card is gone with its reader.
  2148532227: ['unavailable', 'card-removed', 'The reader or its card went away meanwhile. Try again.'],
  2148532253: ['unavailable', 'pcsc-unavailable', 'The PC/SC service is ending.'],
  2148532254: ['unavailable', 'pcsc-unavailable', 'The PC/SC service is ending.'],
};

/** What a return value other than SUCCESS means. */
export function refusal(returned: number): DomainError {
  const [kind, code, detail] = MEANINGS[returned >>> 0] ?? [
    'unprocessable',
    'pcsc-refused',
    `The PC/SC service refused (0x${(returned >>> 0).toString(16).padStart(8, '0')}).`,
  ];
  return new DomainError(kind, code, detail);
}
