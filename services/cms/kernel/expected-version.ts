import { DomainError } from '@cardwright/protocol';

/** Which versions of an object its caller has seen, and so may change. */
export type ExpectedVersion = (version: number) => boolean;

/** @throws DomainError `etag-stale` (precondition-failed). */
export function demandVersion(expected: ExpectedVersion, version: number): void {
  if (!expected(version)) throw stale();
}

export function stale(): DomainError {
  const detail = 'Somebody else has changed it meanwhile. Read it again, and send what you want with its new ETag.';
  return new DomainError('precondition-failed', 'etag-stale', detail);
}
