/** What a pure core may not reach for itself: the clock, randomness, new identifiers. */
export interface Runtime {
  now(): Date;
  /** UUIDv7 (RFC 9562 section 5.7): sortable by time of making. */
  newId(): string;
  randomBytes(length: number): Uint8Array;
}
