import { cardSerial, claimShape, containerName, opaqueId } from '../enrolment/claim.ts';
import {
  base64,
  boolean,
  integer,
  list,
  nullable,
  oneOf,
  open,
  optional,
  type Shape,
  tagged,
  text,
  time,
} from '../shape.ts';
import type { KeyOffer } from '../tasks/journal.ts';
import type { CheckInAnswer } from './port.ts';

/** What the server may answer. A field that we don't know is ignored (the API is additive); all else is refused. */
export const BODY_BYTES_MAX = 1024 * 1024;

const blob = base64(4096);
/** The store has Names in hex. */
const nameAsHex: Shape<string> = (value, at) => Buffer.from(base64(66)(value, at), 'base64').toString('hex');
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

export const proofNonceAnswer = open({ nonce: base64(64) });
export const initialPinAnswer = open({
  confirmationCode: text(16, /^[0-9A-Za-z -]+$/),
  confirmed: boolean,
  pollAfterSeconds: integer(0, 60),
});

export const completionAnswer = open({ state: oneOf('completed') });

const agentTask = open({
  taskId: opaqueId,
  // Whatever a newer server asks for: what is not known is answered so.
  kind: text(40),
  cardId: nullable(opaqueId),
  cardSerial: nullable(cardSerial),
  cardKind: optional(text(40)),
  message: optional(text(1000)),
});

const checkIn = open({
  cards: list(open({ cardId: opaqueId, state }), 256),
  tasks: optional(list(agentTask, 100)),
  nextCheckInSeconds: optional(integer(0, 31_536_000)),
});
export const checkInAnswer: Shape<CheckInAnswer> = (value, at) => {
  const { cards, tasks, nextCheckInSeconds } = checkIn(value, at);
  return { cards, tasks: tasks ?? [], nextCheckInSeconds };
};

const approval = open({ approvedPolicy: base64(64), signature: base64(512) });
const wrapped = { keyVersion: integer(1, 1_000_000), name: nameAsHex, public: blob, duplicate: blob, inSymSeed: blob };
const keyOffer: Shape<KeyOffer> = tagged<KeyOffer>('kind', {
  successor: open({ kind: oneOf('successor'), ...wrapped, approval, rehearsal: approval }),
  replacement: open({
    kind: oneOf('replacement'),
    ...wrapped,
    fromVersion: integer(1, 1_000_000),
    algorithm: text(32, /^[a-z0-9-]+$/),
    kcv: text(64, /^[A-Za-z0-9+/=-]+$/),
  }),
});
export const keyOfferAnswer = open({ keyOffer });
export const cardAnswerAnswer = open({ response: base64(64) });
export const renewalsAnswer = open({
  items: list(
    open({
      container: containerName,
      certificateId: opaqueId,
      notAfter: time,
      renewableFrom: time,
      due: boolean,
      key: oneOf('same', 'new'),
      attestation: oneOf('required', 'preferred', 'off'),
    }),
    64,
  ),
});
export const renewalConfirmationAnswer = open({ superseded: list(opaqueId, 64) });

export const hiddenCredentialAnswer = open({
  attestationId: opaqueId,
  credentialBlob: base64(512),
  secret: base64(1024),
  nonce: base64(64),
});
export const activationAnswer = open({ state: oneOf('attested') });
export const evidenceNonceAnswer = open({ nonce: base64(64) });
export const cardAttestedAnswer = open({
  certificates: list(
    open({
      container: containerName,
      state: oneOf('attested', 'refused'),
      code: nullable(text(64, /^[a-z][a-z0-9-]*$/)),
    }),
    64,
  ),
});
export const accessTokenAnswer = open({
  accessToken: text(512, /^[A-Za-z0-9._~+/=-]{20,512}$/),
  expiresInSeconds: integer(1, 86_400),
});

export const taskReportAnswer = open({ state });

export const unblockRequestAnswer = open({
  sessionId: opaqueId,
  confirmationCode: text(16, /^[0-9A-Za-z -]+$/),
  expiresAt: time,
  pollAfterSeconds: integer(0, 60),
});

/** The response comes as lines of text; control characters other than line ends are refused where it is decoded. */
const responseText: Shape<string> = (value, at) => text(1024)(typeof value === 'string' ? oneLine(value) : value, at);
export const unblockStateAnswer = open({ state, response: nullable(responseText) });

export const cardApprovalRequestAnswer = open({
  sessionId: opaqueId,
  nonce: base64(32),
  serial: cardSerial,
  hostName: text(255),
  personName: text(255),
  requestedAt: time,
});
export const cardApprovalAnswer = open({ sessionId: opaqueId });

export const destructionAnswer = open({ state });

export const lockoutProtectionAnswer = open({
  deviceId: opaqueId,
  authority: blob,
  password: open({ public: blob, duplicate: blob, inSymSeed: blob, name: base64(66) }),
  rules: open({
    maxTries: integer(1, 0xffffffff),
    forgivenAfterSeconds: integer(1, 0xffffffff),
    passwordPauseSeconds: integer(1, 0xffffffff),
  }),
});

export const readinessAnswer = open({ level: state });

/** RFC 9457, with our `code` and `errors`. */
export const problemAnswer = open({
  status: integer(400, 599),
  code: text(64, /^[a-z][a-z0-9-]*$/),
  detail: optional(text(2000)),
  title: optional(text(200)),
  requestId: optional(text(128)),
  data: optional(open({ deviceId: optional(opaqueId) })),
  errors: optional(list(open({ pointer: text(200), detail: text(500) }), 50)),
});

const oneLine = (lines: string) => lines.replace(/[\r\n]+/g, ' ');
