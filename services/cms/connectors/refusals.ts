import { DomainError } from '@cardwright/protocol';

/** The CA could not be asked, or did not answer: asking again is right. */
export function unavailable(detail: string, cause?: unknown): DomainError {
  return new DomainError('unavailable', 'ca-unavailable', detail, cause === undefined ? {} : { cause });
}

/** The CA understood and said no: asking again ends the same. */
export function refusedByCa(detail: string): DomainError {
  return new DomainError('unprocessable', 'ca-refused', detail);
}

/** What the CA sent is not what was asked for. It is recorded, revoked where it can be, and asked for again some times. */
export function badAnswer(code: AnswerCode, detail: string, cause?: unknown): DomainError {
  return new DomainError('internal', code, detail, cause === undefined ? {} : { cause });
}

export type AnswerCode =
  | 'ca-answer-malformed'
  | 'ca-answer-too-large'
  | 'ca-answer-not-from-ca'
  | 'ca-answer-other-key'
  | 'ca-answer-other-names'
  | 'ca-answer-other-usage'
  | 'ca-answer-other-validity'
  | 'ca-answer-repeated';
