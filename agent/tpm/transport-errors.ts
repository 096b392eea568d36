import { DomainError } from '@cardwright/protocol';
import { HEADER_BYTES, MAX_RESPONSE_BYTES } from './transport.ts';

export function unreachable(target: string, cause?: unknown): DomainError {
  const why = cause instanceof Error ? ` (${cause.message})` : '';
  return new DomainError('unavailable', 'tpm-unreachable', `No TPM answers at ${target}${why}.`, { cause });
}

export function timedOut(target: string, timeoutMs: number): DomainError {
  const detail =
    `The TPM at ${target} gave no answer within ${timeoutMs / 1000} seconds; ` +
    'another program may be holding it (a software TPM serves one client at a time).';
  return new DomainError('unavailable', 'tpm-timeout', detail);
}

export function cutShort(target: string, got: number, expected: number): DomainError {
  const detail = `The TPM at ${target} stopped after ${got} of ${expected} bytes of its answer.`;
  return new DomainError('unavailable', 'tpm-response-cut-short', detail);
}

export function tooMany(target: string): DomainError {
  return malformed(`the TPM at ${target} sent bytes that nobody asked for`);
}

export function malformed(detail: string): DomainError {
  return new DomainError('unprocessable', 'tpm-response-malformed', detail);
}

/** The size a response claims, once its first six bytes are there. */
export function claimedSize(bytes: Buffer, target: string): number {
  const size = bytes.readUInt32BE(2);
  if (size < HEADER_BYTES || size > MAX_RESPONSE_BYTES) {
    throw malformed(
      `the TPM at ${target} announced an answer of ${size} bytes, 10 to ${MAX_RESPONSE_BYTES} are possible`,
    );
  }
  return size;
}
