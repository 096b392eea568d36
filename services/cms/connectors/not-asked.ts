import { unavailable } from './refusals.ts';

/** The CA has certainly not heard the question: nothing came of it, and it may be asked at once. */
export class NotAsked extends Error {
  constructor(detail: string, cause?: unknown) {
    super(detail, cause === undefined ? undefined : { cause });
    this.name = 'NotAsked';
  }
}

/** For callers to whom it makes no difference whether the CA heard. */
export function asRefusal(error: unknown): unknown {
  return error instanceof NotAsked ? unavailable(error.message, error) : error;
}
