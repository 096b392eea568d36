/** The CA has certainly not heard the question: nothing came of it, and it may be asked at once. */
export class NotAsked extends Error {
  constructor(detail: string, cause?: unknown) {
    super(detail, cause === undefined ? undefined : { cause });
    this.name = 'NotAsked';
  }
}
