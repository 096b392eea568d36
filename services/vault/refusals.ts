import { DomainError } from '@cardwright/protocol';

/** Refusals that more than one operation gives. */
export function keyUnknown(): DomainError {
  return new DomainError(
    'not-found',
    'administrator-key-unknown',
    'The vault has no such version of a key of this card.',
  );
}

export function keyConfirmed(): DomainError {
  return new DomainError(
    'conflict',
    'administrator-key-confirmed',
    'The card has a confirmed administrator key; it is changed by rotation, not by making or importing another.',
  );
}

export function keyNotConfirmed(): DomainError {
  return new DomainError(
    'conflict',
    'administrator-key-not-confirmed',
    'This version of the key is not confirmed to be on the card; only a confirmed key answers.',
  );
}

export function keySuperseded(): DomainError {
  return new DomainError(
    'conflict',
    'administrator-key-superseded',
    'A later version of the key took the place of this one, whose bytes are destroyed; the card has the later one.',
  );
}

export function wrongAlgorithm(detail: string): DomainError {
  return new DomainError('unprocessable', 'administrator-key-algorithm', detail);
}

export function keyNotStored(): DomainError {
  return new DomainError(
    'conflict',
    'administrator-key-not-stored',
    'The key of this card was made, used once and dropped, as its profile asks; only a PUK or a reissue can help.',
  );
}
