/**
 * Bytes that must not be printed, logged or sent: a PIN, an administrator key, a master secret. The bytes are in a
 * private field, so that JSON, template strings, console.log and util.inspect show a placeholder. They come out only
 * through {@link Secret.use}, which makes each place that touches them easy to find.
 *
 * Not guaranteed: that no copy stays in memory. JavaScript strings and OpenSSL's own buffers can't be wiped from here.
 */
export class Secret {
  #bytes: Uint8Array | undefined;

  private constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Takes ownership: the caller must not keep or reuse `bytes`. */
  static take(bytes: Uint8Array): Secret {
    return new Secret(bytes);
  }

  static fromText(text: string): Secret {
    return new Secret(new TextEncoder().encode(text));
  }

  get length(): number {
    return this.#open().length;
  }

  /** The bytes are lent for the call: copying them out defeats the class. */
  use<T>(work: (bytes: Uint8Array) => T): T {
    return work(this.#open());
  }

  wipe(): void {
    this.#bytes?.fill(0);
    this.#bytes = undefined;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]';
  }

  #open(): Uint8Array {
    if (this.#bytes === undefined) throw new Error('secret used after it was wiped');
    return this.#bytes;
  }
}
