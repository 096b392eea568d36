import { type Static, Type } from 'typebox';
import { CARD_STATES } from '../cards/index.ts';
import { methodFields } from '../enrolment/index.ts';
import { AllowedAction, closed, id, nullable, oneOf, reason, ref, ticket } from '../platform/schema.http.ts';
import { REVOCATION_REASONS } from '../revocation/index.ts';
import { LIFE_CYCLE_ACTS, type Plan, previewToken } from './act.ts';

const text = () => Type.String();

export const LifeCyclePlanSchema = Type.Object(
  {
    act: oneOf(LIFE_CYCLE_ACTS),
    subject: Type.Object({ kind: oneOf(['card', 'device', 'person']), id: Type.String() }),
    cards: Type.Array(
      Type.Object({
        cardId: text(),
        serial: text(),
        personId: text(),
        from: oneOf(CARD_STATES),
        to: oneOf(CARD_STATES),
      }),
      { description: 'Cards that change their state.' },
    ),
    certificates: Type.Array(
      Type.Object({ id: text(), serialNumber: nullable(text()), cardId: text(), reason: oneOf(REVOCATION_REASONS) }),
      { description: 'Certificates that are revoked.' },
    ),
    sessionsEnded: Type.Array(Type.Object({ id: text(), cardId: text(), state: text() }), {
      description: 'Unblock sessions that nobody will answer any more.',
    }),
    keyChangesCancelled: Type.Array(Type.Object({ id: text(), cardId: text() })),
    tasksCancelled: Type.Array(Type.Object({ id: text(), kind: text(), cardId: text() })),
    tasksQueued: Type.Array(Type.Object({ kind: oneOf(['destroy']), cardId: text(), deviceId: text() }), {
      description: 'What the agents are asked to do, should they come back.',
    }),
    enrolmentsCancelled: Type.Array(Type.Object({ id: text(), personId: text(), cardId: nullable(text()) })),
    enrolmentsMade: Type.Array(
      Type.Object({ personId: text(), cardProfile: text(), replacesCardId: nullable(text()) }),
      { description: 'One-time codes for new cards.' },
    ),
    notDone: Type.Array(Type.Object({ cardId: text(), serial: text(), code: text(), why: text() }), {
      description: 'What one might expect and does not happen, and why.',
    }),
  },
  {
    $id: 'LifeCyclePlan',
    examples: [
      {
        act: 'device-stolen',
        subject: { kind: 'device', id: '0199f2a0-2222-7000-8000-000000000002' },
        cards: [
          {
            cardId: '0199f2a0-3333-7000-8000-000000000003',
            serial: 'CW-7K3M-92QF',
            personId: '0199f2a0-1111-7000-8000-000000000001',
            from: 'active',
            to: 'compromised',
          },
        ],
        certificates: [
          {
            id: '0199f2a0-5555-7000-8000-000000000005',
            serialNumber: '5f0c3d9a1be24c7788aa10bb42cc93de',
            cardId: '0199f2a0-3333-7000-8000-000000000003',
            reason: 'keyCompromise',
          },
        ],
        sessionsEnded: [],
        keyChangesCancelled: [],
        tasksCancelled: [],
        tasksQueued: [
          {
            kind: 'destroy',
            cardId: '0199f2a0-3333-7000-8000-000000000003',
            deviceId: '0199f2a0-2222-7000-8000-000000000002',
          },
        ],
        enrolmentsCancelled: [],
        enrolmentsMade: [
          {
            personId: '0199f2a0-1111-7000-8000-000000000001',
            cardProfile: 'tpm-standard',
            replacesCardId: '0199f2a0-3333-7000-8000-000000000003',
          },
        ],
        notDone: [],
      },
    ],
  },
);
const planExample = (LifeCyclePlanSchema as unknown as { examples: unknown[] }).examples[0];

export const LifeCyclePreviewSchema = Type.Object(
  {
    plan: ref(LifeCyclePlanSchema),
    previewToken: Type.String({ description: 'Sent with the act: what is done is what was shown, or nothing.' }),
  },
  {
    $id: 'LifeCyclePreview',
    examples: [{ plan: planExample, previewToken: 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg' }],
  },
);

export const LifeCycleResultSchema = Type.Object(
  {
    requestId: Type.String({ description: 'All audit events of the act carry it, those that come later too.' }),
    plan: ref(LifeCyclePlanSchema),
    codes: Type.Array(
      Type.Object({
        enrolmentId: text(),
        personId: text(),
        replacesCardId: nullable(text()),
        code: Type.String({ description: 'Shown once.' }),
        handOverCode: nullable(Type.String({ description: 'Where a first PIN is handed over; shown once.' })),
        expiresAt: text(),
      }),
    ),
  },
  {
    $id: 'LifeCycleResult',
    examples: [
      {
        requestId: '0199f2a0-9999-7000-8000-000000000009',
        plan: planExample,
        codes: [
          {
            enrolmentId: '0199f2a0-7777-7000-8000-000000000007',
            personId: '0199f2a0-1111-7000-8000-000000000001',
            replacesCardId: '0199f2a0-3333-7000-8000-000000000003',
            code: 'K7QM-2D9X-4RTP',
            handOverCode: null,
            expiresAt: '2026-11-23T09:30:00.000Z',
          },
        ],
      },
    ],
  },
);

export const NewLifeCycleAct = closed(
  {
    act: oneOf(LIFE_CYCLE_ACTS),
    preview: Type.Optional(Type.Boolean({ description: 'Show what would be done, and change nothing.' })),
    previewToken: Type.Optional(Type.String({ minLength: 43, maxLength: 43, pattern: '^[A-Za-z0-9_-]+$' })),
    reissue: Type.Optional(
      Type.Boolean({
        description:
          'Whether other cards are to take the places. If it is not said: yes when lost or stolen, no when handed over.',
      }),
    ),
    newPersonId: Type.Optional(
      id<string>({ description: 'Of a computer that is handed over: who gets it, and a code for a card on it.' }),
    ),
    ...methodFields,
    reason,
    ticket: Type.Optional(ticket),
  },
  {
    $id: 'NewLifeCycleAct',
    examples: [{ act: 'device-stolen', preview: true, reason: 'Stolen from a car, the PIN was on a note' }],
  },
);

export const LifeCycleActList = Type.Object(
  { items: Type.Array(ref(AllowedAction)) },
  {
    $id: 'LifeCycleActList',
    examples: [{ items: [{ action: 'device-lost', allowed: true, disabledReason: null }] }],
  },
);
export const lifeCycleComponents = [
  LifeCyclePlanSchema,
  LifeCyclePreviewSchema,
  LifeCycleResultSchema,
  NewLifeCycleAct,
  LifeCycleActList,
];

/** The contract's arrays may be written to, the plan's may not. */
const toPlan = (plan: Plan): Static<typeof LifeCyclePlanSchema> => ({
  act: plan.act,
  subject: { ...plan.subject },
  cards: [...plan.cards],
  certificates: [...plan.certificates],
  sessionsEnded: [...plan.sessionsEnded],
  keyChangesCancelled: [...plan.keyChangesCancelled],
  tasksCancelled: [...plan.tasksCancelled],
  tasksQueued: [...plan.tasksQueued],
  enrolmentsCancelled: [...plan.enrolmentsCancelled],
  enrolmentsMade: [...plan.enrolmentsMade],
  notDone: [...plan.notDone],
});

export const toPreviewBody = (plan: Plan): Static<typeof LifeCyclePreviewSchema> => ({
  plan: toPlan(plan),
  previewToken: previewToken(plan),
});
export { toPlan as toPlanBody };
