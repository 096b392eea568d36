import { claimShape, opaqueId } from '../enrolment/claim.ts';
import { base64, integer, list, nullable, oneOf, open, optional, type Shape, text, time } from '../shape.ts';

/** What the server may answer. A field that we don't know is ignored (the API is additive); all else is refused. */
export const BODY_BYTES_MAX = 1024 * 1024;

const blob = base64(4096);
const state = text(32, /^[a-z][a-z-]*$/);

const claimState = open({ state: oneOf('claimed', 'completed') });
export const claimAnswer: Shape<ReturnType<typeof claimShape> & ReturnType<typeof claimState>> = (value, at) => ({
  ...claimShape(value, at),
  ...claimState(value, at),
});

export const administratorKeyAnswer = open({
  keyVersion: integer(1, 1_000_000),
  name: base64(66),
  public: blob,
  duplicate: blob,
  inSymSeed: blob,
});

export const firstWriteAnswer = open({
  answer: base64(32),
  selfChange: open({ approvedPolicy: base64(64), signature: base64(512) }),
});

export const certificateAnswer = open({
  certificateId: opaqueId,
  certificate: base64(16 * 1024),
  chain: list(base64(16 * 1024), 8),
});

export const completionAnswer = open({ state: oneOf('completed') });

export const checkInAnswer = open({ cards: list(open({ cardId: opaqueId, state }), 256) });

export const unblockRequestAnswer = open({
  sessionId: opaqueId,
  confirmationCode: text(16, /^[0-9A-Za-z -]+$/),
  expiresAt: time,
  pollAfterSeconds: integer(0, 60),
});

/** The response comes as lines of text; control characters other than line ends are refused where it is decoded. */
const responseText: Shape<string> = (value, at) => text(1024)(typeof value === 'string' ? oneLine(value) : value, at);
export const unblockStateAnswer = open({ state, response: nullable(responseText) });

export const destructionAnswer = open({ state });

export const readinessAnswer = open({ level: state });

/** RFC 9457, with our `code` and `errors`. */
export const problemAnswer = open({
  status: integer(400, 599),
  code: text(64, /^[a-z][a-z0-9-]*$/),
  detail: optional(text(2000)),
  title: optional(text(200)),
  requestId: optional(text(128)),
  errors: optional(list(open({ pointer: text(200), detail: text(500) }), 50)),
});

const oneLine = (lines: string) => lines.replace(/[\r\n]+/g, ' ');
