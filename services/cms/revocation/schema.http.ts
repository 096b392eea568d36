import { type Static, Type } from 'typebox';
import { listOf, nullable, OperatorRef, oneOf, ref, time } from '../platform/schema.http.ts';
import type { Hold } from './hold.ts';
import type { QueuedRevocation } from './ports.ts';
import { REVOCATION_REASONS, type Revocation, type Telling } from './revocation.ts';

const telling = {
  attempts: Type.Integer({ description: 'How often the CA was asked in vain.' }),
  lastError: nullable(
    Type.Object(
      {
        code: Type.String(),
        detail: Type.String(),
        refused: Type.Boolean({ description: 'The CA answered and would not; otherwise it was away.' }),
      },
      { description: 'Why the CA has not heard yet.' },
    ),
  ),
  nextAttemptAt: nullable(time({ description: 'When the CA is asked again; null once it has heard.' })),
};
const TELLING_EXAMPLE = { attempts: 0, lastError: null, nextAttemptAt: null };

const revocationFields = {
  id: Type.String(),
  certificateId: Type.String(),
  state: oneOf(['proposed', 'confirmed'], {
    description: 'proposed: decided and recorded, the CA is being told. confirmed: the CA has it.',
  }),
  reason: oneOf(REVOCATION_REASONS),
  comment: Type.String(),
  ticket: nullable(Type.String()),
  revokedAt: time(),
  invalidityDate: nullable(time({ description: 'Since when the certificate is not to be trusted.' })),
  requestedBy: ref(OperatorRef),
  requestId: nullable(Type.String({ description: 'Of the request that decided it: its audit events have it too.' })),
  createdAt: time(),
  confirmedAt: nullable(time()),
  ...telling,
};

const REVOCATION_EXAMPLE = {
  id: '0199f2a0-6666-7000-8000-000000000006',
  certificateId: '0199f2a0-5555-7000-8000-000000000005',
  state: 'confirmed',
  reason: 'keyCompromise',
  comment: 'Laptop stolen from a car',
  ticket: 'INC-20417',
  revokedAt: '2026-11-20T09:30:00.000Z',
  invalidityDate: '2026-11-19T18:00:00.000Z',
  requestedBy: { id: '0199f2a0-4444-7000-8000-000000000004', name: 'security-officer' },
  requestId: '0199f2a0-9999-7000-8000-000000000009',
  createdAt: '2026-11-20T09:30:00.000Z',
  confirmedAt: '2026-11-20T09:30:00.120Z',
  ...TELLING_EXAMPLE,
};

export const RevocationSchema = Type.Object(revocationFields, { $id: 'Revocation', examples: [REVOCATION_EXAMPLE] });

export const QueuedRevocationSchema = Type.Object(
  {
    ...revocationFields,
    authority: Type.String({ description: 'Name of the CA.' }),
    serialNumber: nullable(Type.String({ description: 'Lower-case hex.' })),
    cardId: Type.String(),
    personId: Type.String(),
  },
  {
    $id: 'QueuedRevocation',
    examples: [
      {
        ...REVOCATION_EXAMPLE,
        state: 'proposed',
        confirmedAt: null,
        attempts: 3,
        lastError: { code: 'ca-unavailable', detail: 'The CA does not answer.', refused: false },
        nextAttemptAt: '2026-11-20T09:31:00.000Z',
        authority: 'embedded',
        serialNumber: '5f0c3d9a1be24c7788aa10bb42cc93de',
        cardId: '0199f2a0-3333-7000-8000-000000000003',
        personId: '0199f2a0-1111-7000-8000-000000000001',
      },
    ],
  },
);
export const QueuedRevocationList = listOf(QueuedRevocationSchema, { $id: 'QueuedRevocationList' });

const HOLD_EXAMPLE = {
  id: '0199f2a0-7777-7000-8000-000000000007',
  certificateId: '0199f2a0-5555-7000-8000-000000000005',
  act: 'hold',
  state: 'confirmed',
  comment: 'Laptop not found at home',
  ticket: 'INC-20417',
  takesEffectAt: '2026-11-20T09:30:00.000Z',
  requestedBy: { id: '0199f2a0-4444-7000-8000-000000000004', name: 'security-officer' },
  requestId: '0199f2a0-9999-7000-8000-000000000009',
  createdAt: '2026-11-20T09:30:00.000Z',
  confirmedAt: '2026-11-20T09:30:00.120Z',
  ...TELLING_EXAMPLE,
};

export const HoldSchema = Type.Object(
  {
    id: Type.String(),
    certificateId: Type.String(),
    act: oneOf(['hold', 'release']),
    state: oneOf(['proposed', 'confirmed', 'superseded'], {
      description: 'superseded: the certificate was revoked for ever before the CA had heard of it.',
    }),
    comment: Type.String(),
    ticket: nullable(Type.String()),
    takesEffectAt: time(),
    requestedBy: ref(OperatorRef),
    requestId: Type.String(),
    createdAt: time(),
    confirmedAt: nullable(time()),
    ...telling,
  },
  {
    $id: 'CertificateHold',
    examples: [HOLD_EXAMPLE],
  },
);
export const HoldList = Type.Object(
  { items: Type.Array(ref(HoldSchema)) },
  { $id: 'CertificateHoldList', examples: [{ items: [HOLD_EXAMPLE] }] },
);
export const revocationComponents = [
  RevocationSchema,
  QueuedRevocationSchema,
  QueuedRevocationList,
  HoldSchema,
  HoldList,
];

const textOf = (time: Date | null): string | null => time?.toISOString() ?? null;

function toTelling({ attempts, lastError, nextAttemptAt }: Telling) {
  return { attempts, lastError: lastError === null ? null : { ...lastError }, nextAttemptAt: textOf(nextAttemptAt) };
}

export function toBody(revocation: Revocation): Static<typeof RevocationSchema> {
  return {
    ...revocation,
    ...toTelling(revocation),
    revokedAt: revocation.revokedAt.toISOString(),
    invalidityDate: textOf(revocation.invalidityDate),
    createdAt: revocation.createdAt.toISOString(),
    confirmedAt: textOf(revocation.confirmedAt),
  };
}

export function toQueuedBody(queued: QueuedRevocation): Static<typeof QueuedRevocationSchema> {
  const { authority, serialNumber, cardId, personId } = queued;
  return { ...toBody(queued), authority, serialNumber, cardId, personId };
}

export function toHoldBody(hold: Hold): Static<typeof HoldSchema> {
  return {
    ...hold,
    ...toTelling(hold),
    takesEffectAt: hold.takesEffectAt.toISOString(),
    createdAt: hold.createdAt.toISOString(),
    confirmedAt: textOf(hold.confirmedAt),
  };
}
