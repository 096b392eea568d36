import { type Static, Type } from 'typebox';
import type { Permission } from '../kernel/permission.ts';
import {
  AllowedAction,
  closed,
  listOf,
  nullable,
  OperatorRef,
  oneOf,
  reason,
  ref,
  ticket,
  time,
} from '../platform/schema.http.ts';
import { FailureSchema } from '../tasks/index.ts';
import { allowedChangeActions, CHANGE_CAUSES, CHANGE_KINDS, CHANGE_STATES, type KeyChange } from './key-change.ts';

const example = {
  id: '0199f2a0-bbbb-7000-8000-00000000000b',
  cardId: '0199f2a0-3333-7000-8000-000000000003',
  taskId: '0199f2a0-aaaa-7000-8000-00000000000a',
  kind: 'rotation',
  cause: 'periodic',
  state: 'requested',
  fromVersion: 1,
  toVersion: null,
  reason: 'Keys of 2024 are to go',
  ticket: 'CHG-112',
  requestedBy: { id: '0199f2a0-4444-7000-8000-000000000004', name: 'security-officer' },
  createdAt: '2026-11-20T09:00:00.000Z',
  confirmedAt: null,
  failure: null,
  allowedActions: [
    { action: 'cancel', allowed: true, disabledReason: null },
    {
      action: 'give-up',
      allowed: false,
      disabledReason: 'The device has not been given a new key for this change yet.',
    },
  ],
};

export const KeyChangeSchema = Type.Object(
  {
    id: Type.String(),
    cardId: Type.String(),
    taskId: Type.String({ description: 'Of the device, which puts the new key on the card.' }),
    kind: oneOf(CHANGE_KINDS, { description: 'rotation: of a TPM card, in which the old key keeps its power.' }),
    cause: oneOf(CHANGE_CAUSES),
    state: oneOf(CHANGE_STATES, {
      description: 'offered: the device has the new key, and the card may have it. Both open the card until confirmed.',
    }),
    fromVersion: Type.Integer(),
    toVersion: nullable(Type.Integer()),
    reason: nullable(Type.String()),
    ticket: nullable(Type.String()),
    requestedBy: ref(OperatorRef),
    createdAt: time(),
    confirmedAt: nullable(time()),
    failure: nullable(ref(FailureSchema)),
    allowedActions: Type.Array(ref(AllowedAction)),
  },
  { $id: 'KeyChange', examples: [example] },
);
export const KeyChangeList = listOf(KeyChangeSchema, { $id: 'KeyChangeList' });

export const NewKeyChangeSchema = closed(
  {
    cause: oneOf(CHANGE_CAUSES, {
      description: 'suspicion does not help a TPM card: reissue it. take-over: again, after one that failed.',
    }),
    reason,
    ticket: Type.Optional(ticket),
  },
  { $id: 'NewKeyChange', examples: [{ cause: 'periodic', reason: example.reason, ticket: example.ticket }] },
);

const bytes = (description: string) => Type.String({ contentEncoding: 'base64', description });
const wrapped = {
  keyVersion: Type.Integer(),
  name: bytes("The object's TPM Name."),
  public: bytes('TPM2B_PUBLIC'),
  duplicate: bytes('TPM2B_PRIVATE, wrapped to the device.'),
  inSymSeed: bytes('TPM2B_ENCRYPTED_SECRET'),
};
const approval = (description: string) =>
  Type.Object({ approvedPolicy: bytes('32 bytes'), signature: bytes('HMAC-SHA-256, 32 bytes') }, { description });
const wrappedExample = { keyVersion: 2, name: 'AAuq', public: 'AC4A', duplicate: 'AHYA', inSymSeed: 'AEQA' };

export const SuccessorOffer = Type.Object(
  {
    kind: oneOf(['successor']),
    ...wrapped,
    approval: approval('By the old key: lets the new one do what it does.'),
    rehearsal: approval('By the new key: lets the card be tried with it, reading only.'),
  },
  {
    $id: 'SuccessorOffer',
    examples: [
      {
        kind: 'successor',
        ...wrappedExample,
        approval: { approvedPolicy: 'EjRW', signature: 'eJq8' },
        rehearsal: { approvedPolicy: 'EjRW', signature: 'eJq8' },
      },
    ],
  },
);
export const ReplacementOffer = Type.Object(
  {
    kind: oneOf(['replacement']),
    ...wrapped,
    fromVersion: Type.Integer({ description: 'The key that the card has until then.' }),
    algorithm: Type.String(),
    kcv: Type.String({ description: 'Key check value, 6 hex digits.' }),
  },
  {
    $id: 'ReplacementOffer',
    description: 'A sealed data object: TPM2_Unseal gives the key.',
    examples: [{ kind: 'replacement', ...wrappedExample, fromVersion: 1, algorithm: 'aes-256', kcv: 'A1B2C3' }],
  },
);
const keyOffer = Type.Unsafe<Static<typeof SuccessorOffer> | Static<typeof ReplacementOffer>>({
  oneOf: [ref(SuccessorOffer), ref(ReplacementOffer)],
});
export const KeyOfferSchema = Type.Object(
  { keyOffer },
  {
    $id: 'KeyOffer',
    examples: [
      { keyOffer: { kind: 'replacement', ...wrappedExample, fromVersion: 1, algorithm: 'aes-256', kcv: 'A1B2C3' } },
    ],
  },
);
export const CardAnswerSchema = Type.Object(
  { response: bytes('As long as the challenge.') },
  { $id: 'CardAnswer', examples: [{ response: 'q83vEjRWeJo=' }] },
);

export function toBody(change: KeyChange, permissions: ReadonlySet<Permission>): Static<typeof KeyChangeSchema> {
  const { offer: _offer, answers: _answers, reportedAt: _reported, ...shown } = change;
  return {
    ...shown,
    createdAt: change.createdAt.toISOString(),
    confirmedAt: change.confirmedAt?.toISOString() ?? null,
    allowedActions: allowedChangeActions(change, permissions),
  };
}
