/** An answer that was signed before it is asked for, to be given to whoever asks for the same. */
export interface Answer {
  /** OCSPResponse, DER. */
  readonly response: Buffer;
  readonly producedAt: Date;
  readonly nextUpdate: Date;
}

interface Kept {
  readonly answer: Answer;
  readonly serial: string;
  readonly until: number;
}

/**
 * Signed answers by the request that asked for them. What is not in here costs a signature and a look at the database.
 *
 * An answer is taken out when its certificate's status changes. One may be under way just then, made of what stood
 * before: so whoever makes one notes {@link mark} before looking at the database, and it is kept only if nothing was
 * forgotten since.
 */
export class Answers {
  readonly #most: number;
  readonly #byRequest = new Map<string, Kept>();
  readonly #bySerial = new Map<string, Set<string>>();
  #mark = 0;

  /** @param most answers at a time, each of some 1 KB; the oldest go first */
  constructor(most: number) {
    this.#most = most;
  }

  get mark(): number {
    return this.#mark;
  }

  get size(): number {
    return this.#byRequest.size;
  }

  get(request: string, now: number): Answer | null {
    const kept = this.#byRequest.get(request);
    return kept !== undefined && now < kept.until ? kept.answer : null;
  }

  /** @param until when another one is to be made, in milliseconds of the epoch */
  keep(request: string, serial: string, answer: Answer, until: number, mark: number): void {
    if (mark !== this.#mark) return;
    this.#remove(request);
    if (this.#byRequest.size >= this.#most) {
      const [oldest] = this.#byRequest.keys();
      if (oldest !== undefined) this.#remove(oldest);
    }
    this.#byRequest.set(request, { answer, serial, until });
    const requests = this.#bySerial.get(serial);
    if (requests === undefined) this.#bySerial.set(serial, new Set([request]));
    else requests.add(request);
  }

  forget(serials: readonly string[]): void {
    this.#mark += 1;
    for (const serial of serials) for (const request of this.#bySerial.get(serial) ?? []) this.#remove(request);
  }

  forgetAll(): void {
    this.#mark += 1;
    this.#byRequest.clear();
    this.#bySerial.clear();
  }

  #remove(request: string): void {
    const kept = this.#byRequest.get(request);
    if (kept === undefined) return;
    this.#byRequest.delete(request);
    const requests = this.#bySerial.get(kept.serial);
    requests?.delete(request);
    if (requests?.size === 0) this.#bySerial.delete(kept.serial);
  }
}
