import type { Secret } from '@cardwright/protocol';

/**
 * Cards that are not in this device's own hardware: physical smart cards, and Windows' virtual ones, as a minidriver sees
 * them. Only what their administrator does; no word of how they are reached.
 *
 * Every method throws DomainError. What another try may mend is of kind `unavailable`: those of agent/pcsc/port.ts,
 * `card-not-in-reader` and `another-card-in-reader`.
 */
export type Bytes = Uint8Array;

/** Of the administrator key, by the card's record: the length of a challenge does not tell. */
export const KEY_ALGORITHMS = ['tdes', 'aes-128', 'aes-192', 'aes-256'] as const;
export type KeyAlgorithm = (typeof KEY_ALGORITHMS)[number];

export interface AdministeredCard {
  /** A fresh one of 8 or 16 bytes; the one before is dead. `card-challenge-unfit` if it is not one for that algorithm. */
  challenge(algorithm: KeyAlgorithm): Promise<Bytes>;
  /**
   * Proves the administrator key by the answer to the last challenge. That challenge is dead afterwards, right or wrong.
   * Throws `answer-refused-by-card` (unprocessable): of another key. Some cards count, and destroy themselves at last, so
   * an answer that was refused is never given again. `administrator-key-blocked` (conflict): that has happened.
   */
  authenticate(answer: Bytes): Promise<void>;
  /**
   * Needs `authenticate` before. `key` is lent. Throws `key-refused-by-card` (unprocessable). When it throws anything else
   * the card may have the new key or the old one.
   */
  changeAdministratorKey(key: Secret, algorithm: KeyAlgorithm): Promise<void>;
}

export interface MinidriverCards {
  /**
   * The card of that serial, which is its card id in hexadecimal, for `work` alone; what was proved to it is forgotten
   * afterwards. Looks into all readers, or into the one named. No other card is told anything.
   */
  withCard<T>(serial: string, reader: string | undefined, work: (card: AdministeredCard) => Promise<T>): Promise<T>;
}
