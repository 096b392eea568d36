import { type Static, Type } from 'typebox';
import { ENROLMENT_METHODS, INITIAL_PINS } from '../cards/index.ts';
import type { CardId, DeviceId, EnrolmentId, PersonId } from '../kernel/ids.ts';
import type { Principal } from '../kernel/permission.ts';
import { callerOf, intentOf } from '../platform/authentication.http.ts';
import { decodeCursor, limitOf, pageOf, UUID_KEY } from '../platform/cursor.ts';
import {
  AllowedAction,
  closed,
  id,
  listOf,
  nullable,
  OperatorRef,
  oneOf,
  Problem,
  paging,
  reason,
  ref,
  time,
} from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import { type CancelEnrolmentDependencies, cancelEnrolment } from './cancel-enrolment.ts';
import { DEFAULT_VALIDITY_SECONDS, MAX_VALIDITY_SECONDS, MIN_VALIDITY_SECONDS } from './code.ts';
import { createEnrolment } from './create-enrolment.ts';
import {
  allowedActions,
  type Enrolment,
  enrolmentNotFound,
  INITIAL_PIN_STATES,
  initialPinState,
  shownState,
} from './enrolment.ts';
import { VouchingSchema } from './vouching.http.ts';

const STATES = ['open', 'claimed', 'completed', 'cancelled', 'expired'] as const;
const DEFAULT_PROFILE = 'tpm-default';

const example = {
  id: '0199f2a0-7777-7000-8000-000000000007',
  personId: '0199f2a0-1111-7000-8000-000000000001',
  cardProfile: DEFAULT_PROFILE,
  method: 'code',
  initialPin: 'holder',
  initialPinState: 'holder',
  replacesCardId: null,
  state: 'open',
  expiresAt: '2026-11-21T09:00:00.000Z',
  createdAt: '2026-11-20T09:00:00.000Z',
  createdBy: { id: '0199f2a0-4444-7000-8000-000000000004', name: 'helpdesk' },
  cardId: null,
  deviceId: null,
  allowedActions: [{ action: 'cancel', allowed: true, disabledReason: null }],
};
const EnrolmentSchema = Type.Object(
  {
    id: Type.String(),
    personId: Type.String(),
    cardProfile: Type.String(),
    method: oneOf(ENROLMENT_METHODS, { description: 'How it is known that whoever has the code is the person.' }),
    initialPin: oneOf(INITIAL_PINS),
    initialPinState: oneOf(INITIAL_PIN_STATES, {
      description:
        'Of a supervised one: not-set, to-confirm, confirmed. Of one that is handed over: sealed, until its holder has exchanged it: handed-over.',
    }),
    replacesCardId: nullable(Type.String({ description: 'Of a reissue: the card whose place the new one takes.' })),
    state: oneOf(STATES, { description: 'expired: nobody used the code in time.' }),
    expiresAt: time({ description: 'Until when the code can be claimed.' }),
    createdAt: time(),
    createdBy: ref(OperatorRef),
    cardId: nullable(Type.String()),
    deviceId: nullable(Type.String()),
    allowedActions: Type.Array(ref(AllowedAction)),
  },
  { $id: 'Enrolment', examples: [example] },
);
const EnrolmentList = listOf(EnrolmentSchema, { $id: 'EnrolmentList' });
export const CreatedEnrolment = Type.Object(
  {
    enrolment: ref(EnrolmentSchema),
    code: Type.String({ description: 'Shown once. Case, spacing, O for 0 and I or L for 1 are forgiven.' }),
    handOverCode: nullable(
      Type.String({
        description:
          'Shown once, where a first PIN is handed over: for the person, in another way than the device goes. It opens the PIN, and nothing else does.',
      }),
    ),
  },
  { $id: 'CreatedEnrolment', examples: [{ enrolment: example, code: '7K3M-92QF-XD4T', handOverCode: null }] },
);
export const validForSeconds = Type.Optional(
  Type.Integer({ minimum: MIN_VALIDITY_SECONDS, maximum: MAX_VALIDITY_SECONDS, default: DEFAULT_VALIDITY_SECONDS }),
);
/** How an enrolment is made, beside whose and for which profile. */
export const methodFields = {
  method: Type.Optional(
    oneOf(ENROLMENT_METHODS, { description: "One of the card profile's; its first one, if it is left out." }),
  ),
  verification: Type.Optional(VouchingSchema),
};
export const enrolmentComponents = [EnrolmentSchema, EnrolmentList, CreatedEnrolment];

export function registerEnrolmentRoutes(
  app: App,
  deps: CancelEnrolmentDependencies & Parameters<typeof createEnrolment>[0],
) {
  const params = closed({ enrolmentId: id<EnrolmentId>() });

  app.post(
    '/api/v1/enrolments',
    {
      config: { permission: 'enrolments:create', act: 'enrolment.created', secretAnswer: true },
      schema: {
        operationId: 'createEnrolment',
        summary: 'Make a one-time code with which a person makes a card on a device.',
        tags: ['enrolments'],
        body: closed(
          {
            personId: id<PersonId>(),
            cardProfile: Type.Optional(Type.String({ minLength: 1, maxLength: 64, default: DEFAULT_PROFILE })),
            ...methodFields,
            validForSeconds,
          },
          { examples: [{ personId: '0199f2a0-1111-7000-8000-000000000001', validForSeconds: 86400 }] },
        ),
        response: { 201: ref(CreatedEnrolment), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const { cardProfile = DEFAULT_PROFILE, ...wanted } = request.body;
      const { enrolment, ...codes } = await createEnrolment(deps, intentOf(request), { ...wanted, cardProfile });
      const body = toBody(enrolment, deps.runtime.now(), callerOf(request));
      return reply.code(201).send({ enrolment: body, ...codes });
    },
  );

  app.get(
    '/api/v1/enrolments',
    {
      config: { permission: 'enrolments:read' },
      schema: {
        operationId: 'listEnrolments',
        summary: 'Enrolments, newest first.',
        tags: ['enrolments'],
        querystring: closed({
          personId: Type.Optional(id<PersonId>()),
          state: Type.Optional(oneOf(STATES)),
          ...paging,
        }),
        response: { 200: ref(EnrolmentList), default: ref(Problem) },
      },
    },
    async (request) => {
      const { cursor, personId, state } = request.query;
      const limit = limitOf(request.query);
      const now = deps.runtime.now();
      const rows = await deps.enrolments.list({ personId, state }, now, decodeCursor(cursor, UUID_KEY), limit + 1);
      return pageOf(
        rows,
        limit,
        (row) => row.id,
        (row) => toBody(row, now, callerOf(request)),
      );
    },
  );

  app.get(
    '/api/v1/enrolments/:enrolmentId',
    {
      config: { permission: 'enrolments:read', etag: true },
      schema: {
        operationId: 'getEnrolment',
        summary: 'One enrolment. Its code is never shown again.',
        tags: ['enrolments'],
        params,
        response: { 200: ref(EnrolmentSchema), default: ref(Problem) },
      },
    },
    async (request) => {
      const enrolment = await deps.enrolments.find(request.params.enrolmentId);
      if (enrolment === null) throw enrolmentNotFound();
      return toBody(enrolment, deps.runtime.now(), callerOf(request));
    },
  );

  app.post(
    '/api/v1/enrolments/:enrolmentId/cancellations',
    {
      config: { permission: 'enrolments:cancel', act: 'enrolment.cancelled' },
      schema: {
        operationId: 'cancelEnrolment',
        summary: 'End an enrolment that is not complete: the code is void, an unfinished card is retired.',
        tags: ['enrolments'],
        params,
        body: closed({ reason }, { examples: [{ reason: 'Sent to the wrong person' }] }),
        response: { 201: ref(EnrolmentSchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const why = request.body.reason;
      const intent = intentOf(request, { reason: why });
      const enrolment = await cancelEnrolment(deps, intent, request.params.enrolmentId, why);
      return reply.code(201).send(toBody(enrolment, deps.runtime.now(), callerOf(request)));
    },
  );
}

export function toBody(enrolment: Enrolment, now: Date, { permissions }: Principal): Static<typeof EnrolmentSchema> {
  const { profileName, expiresAt, createdAt } = enrolment;
  const claimed: { cardId: string | null; deviceId: string | null } =
    enrolment.state === 'open' ? { cardId: null, deviceId: null } : enrolment;
  return {
    id: enrolment.id,
    personId: enrolment.personId,
    cardProfile: profileName,
    method: enrolment.method,
    initialPin: enrolment.initialPin,
    initialPinState: initialPinState(enrolment),
    replacesCardId: enrolment.replacesCardId,
    state: shownState(enrolment, now),
    expiresAt: expiresAt.toISOString(),
    createdAt: createdAt.toISOString(),
    createdBy: enrolment.createdBy,
    cardId: claimed.cardId as CardId | null,
    deviceId: claimed.deviceId as DeviceId | null,
    allowedActions: allowedActions(enrolment, now, permissions),
  };
}
