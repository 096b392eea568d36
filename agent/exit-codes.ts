import { type DomainError, type ErrorKind, isDomainError } from '@cardwright/protocol';
import { Interrupted } from './terminal/port.ts';

/** What the process ends with, so that a script can tell the cases apart. Documented in `--help`; only ever added to. */
export const EXIT = {
  done: 0,
  internal: 1,
  usage: 2,
  refused: 3,
  conflict: 4,
  notFound: 5,
  notAllowed: 6,
  unavailable: 7,
  pinWrong: 10,
  cardBlocked: 11,
  interrupted: 130,
} as const;

export const EXIT_MEANINGS: readonly (readonly [number, string])[] = [
  [EXIT.done, 'done'],
  [EXIT.internal, 'a defect of cardwright-agent'],
  [EXIT.usage, 'the command, an option or something typed is not right'],
  [EXIT.refused, 'refused: understood, but not accepted'],
  [EXIT.conflict, 'refused: the state of the card or the enrolment does not allow it'],
  [EXIT.notFound, 'no such card, container or file'],
  [EXIT.notAllowed, 'not signed in, or not allowed'],
  [EXIT.unavailable, 'server, TPM or store not available now: run the same command again'],
  [EXIT.pinWrong, 'the PIN is wrong'],
  [EXIT.cardBlocked, 'the card is blocked: have it unblocked'],
  [EXIT.interrupted, 'interrupted (Ctrl-C)'],
];

const OF_KIND: Readonly<Record<ErrorKind, number>> = {
  invalid: EXIT.usage,
  unprocessable: EXIT.refused,
  conflict: EXIT.conflict,
  'precondition-failed': EXIT.conflict,
  'precondition-required': EXIT.conflict,
  'not-found': EXIT.notFound,
  unauthenticated: EXIT.notAllowed,
  forbidden: EXIT.notAllowed,
  'too-many': EXIT.unavailable,
  unavailable: EXIT.unavailable,
  internal: EXIT.internal,
};

const OF_CODE: Readonly<Record<string, number>> = { 'pin-wrong': EXIT.pinWrong, 'card-blocked': EXIT.cardBlocked };

export interface Failure {
  readonly exitCode: number;
  readonly code: string;
  readonly detail: string;
  readonly data: DomainError['data'];
  readonly fields: DomainError['fields'];
}

/** An error that we don't know shows its kind only: its message might quote what it was given. */
export function failureOf(error: unknown): Failure {
  if (isDomainError(error)) {
    const { code, detail, data, fields } = error;
    return { exitCode: OF_CODE[code] ?? OF_KIND[error.kind], code, detail, data, fields };
  }
  const nothing = { data: undefined, fields: undefined };
  if (error instanceof Interrupted) {
    return { exitCode: EXIT.interrupted, code: 'interrupted', detail: 'Interrupted.', ...nothing };
  }
  const name = error instanceof Error ? error.name : typeof error;
  const detail = `Something went wrong inside cardwright-agent (${name}). Set CARDWRIGHT_DEBUG=1 to see where.`;
  return { exitCode: EXIT.internal, code: 'internal', detail, ...nothing };
}
