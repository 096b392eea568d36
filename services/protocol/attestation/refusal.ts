import { DomainError } from '../errors.ts';

/** Understood, and not proven: one code a reason, listed in services/protocol/attestation/README.md. */
export function refused(code: string, detail: string, cause?: unknown): DomainError {
  return new DomainError('unprocessable', code, detail, cause === undefined ? {} : { cause });
}

export function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.from(a).equals(b);
}
