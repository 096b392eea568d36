/**
 * Physical cards in readers, as any PC/SC service offers them. No word of pcscd, so that another service (Windows') fits
 * beside it. Every method throws DomainError:
 *
 * - `pcsc-unavailable`, `pcsc-timeout` (unavailable): no service answers; `pcsc-answer-malformed` (unavailable): what
 *   answers is none.
 * - `card-reader-unknown` (unavailable): there is no reader of that name, or it was unplugged.
 * - `card-absent` (unavailable): no card is in it. `card-removed` (unavailable): it was taken out, or the reader was, while
 *   we spoke to it. `card-reset` (unavailable): another program reset it. `card-unresponsive` (unavailable).
 * - `card-reader-in-use` (unavailable): another program holds it.
 * - `pcsc-refused` (unprocessable): anything else, with the service's own number.
 */
export type Bytes = Uint8Array;

export interface Reader {
  readonly name: string;
  readonly cardPresent: boolean;
  /** Answer to reset of the card in it; empty without one. */
  readonly atr: Bytes;
}

/** Carries one command APDU to a card and its response APDU back (data, then SW1 SW2): whatever is between. */
export interface ApduChannel {
  /** Gives 2 to 65538 bytes. `command` is not kept. */
  transmit(command: Bytes): Promise<Bytes>;
}

/**
 * `reset`: whatever was proved to the card is forgotten before another program can use it. `leave`: for reading what
 * everybody may read, without logging anybody out.
 */
export type Afterwards = 'reset' | 'leave';

export interface CardReaders {
  readers(): Promise<readonly Reader[]>;
  /** The card of one reader for `work` alone: no other program speaks to it meanwhile. */
  withCard<T>(reader: string, afterwards: Afterwards, work: (card: ApduChannel) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}
