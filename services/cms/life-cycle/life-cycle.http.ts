import { DomainError } from '@cardwright/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import { offer } from '../kernel/allowed-action.ts';
import type { CardId, DeviceId, PersonId } from '../kernel/ids.ts';
import type { Permission } from '../kernel/permission.ts';
import { callerOf, intentOf } from '../platform/authentication.http.ts';
import { closed, id, Problem, ref } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import { actsOn, doesNothing, type Order, type Subject } from './act.ts';
import { type LifeCyclePorts, type Performed, performAct, previewAct, previewWithCodes } from './perform-act.ts';
import {
  LifeCycleActList,
  LifeCyclePreviewSchema,
  LifeCycleResultSchema,
  NewLifeCycleAct,
  toPlanBody,
  toPreviewBody,
} from './schema.http.ts';

/** Beside certificates:revoke, which the route asks for: what an act does besides. */
const NEEDED: readonly Permission[] = ['cards:retire', 'enrolments:create'];

export function registerLifeCycleRoutes(app: App, ports: LifeCyclePorts): void {
  async function offers(subject: Subject, permissions: ReadonlySet<Permission>) {
    const items = [];
    for (const act of actsOn(subject.kind)) {
      const plan = await previewAct(ports, { act, subject });
      const obstacle = doesNothing(plan) ? 'There is nothing that this act would change.' : null;
      const missing = NEEDED.find((permission) => !permissions.has(permission));
      items.push(offer(act, missing ?? 'certificates:revoke', permissions, obstacle));
    }
    return { items };
  }

  async function perform(
    request: FastifyRequest,
    reply: FastifyReply,
    subject: Subject,
    body: Static<typeof NewLifeCycleAct>,
  ) {
    const { permissions } = callerOf(request);
    const missing = NEEDED.find((permission) => !permissions.has(permission));
    if (missing !== undefined) throw mayNot(missing);
    const { act, reissue, newPersonId, preview, previewToken: token, ...rest } = body;
    const order: Order = { act, subject, reissue, newPersonId };
    const intent = intentOf(request, rest);
    if (preview === true) {
      reply.code(200);
      return toPreviewBody(await previewWithCodes(ports, intent, order, rest));
    }
    if (token === undefined) throw notLookedAt();
    const performed = await performAct(ports, intent, order, rest, token);
    reply.code(201);
    return { requestId: intent.requestId, plan: toPlanBody(performed.plan), codes: codesOf(performed) };
  }

  const declared = (kind: string) => ({
    config: { permission: 'certificates:revoke', act: `life-cycle.${kind}-act`, secretAnswer: true } as const,
    tags: ['life-cycle'],
    body: ref(NewLifeCycleAct),
    response: { 200: ref(LifeCyclePreviewSchema), 201: ref(LifeCycleResultSchema), default: ref(Problem) },
    description:
      'First with `preview`, which shows all that would be done and gives a token; then with that token. When something changed in between, it is refused with what would be done now.',
  });
  const listed = { tags: ['life-cycle'], response: { 200: ref(LifeCycleActList), default: ref(Problem) } };

  const cards = declared('card');
  app.post(
    '/api/v1/cards/:cardId/life-cycle-acts',
    {
      config: cards.config,
      schema: {
        operationId: 'actOnCard',
        summary: 'A card’s computer was lost, stolen or installed anew.',
        ...{ tags: cards.tags, description: cards.description, body: cards.body, response: cards.response },
        params: closed({ cardId: id<CardId>() }),
      },
    },
    (request, reply) => perform(request, reply, { kind: 'card', id: request.params.cardId }, request.body),
  );
  const devices = declared('device');
  app.post(
    '/api/v1/devices/:deviceId/life-cycle-acts',
    {
      config: devices.config,
      schema: {
        operationId: 'actOnDevice',
        summary: 'A computer was lost, stolen, handed over or installed anew: for all cards on it.',
        ...{ tags: devices.tags, description: devices.description, body: devices.body, response: devices.response },
        params: closed({ deviceId: id<DeviceId>() }),
      },
    },
    (request, reply) => perform(request, reply, { kind: 'device', id: request.params.deviceId }, request.body),
  );
  const people = declared('person');
  app.post(
    '/api/v1/people/:personId/life-cycle-acts',
    {
      config: people.config,
      schema: {
        operationId: 'actOnPerson',
        summary: 'A person left: for all their cards.',
        ...{ tags: people.tags, description: people.description, body: people.body, response: people.response },
        params: closed({ personId: id<PersonId>() }),
      },
    },
    (request, reply) => perform(request, reply, { kind: 'person', id: request.params.personId }, request.body),
  );

  app.get(
    '/api/v1/cards/:cardId/life-cycle-acts',
    {
      config: { permission: 'cards:read', etag: true },
      schema: {
        operationId: 'listCardActs',
        summary: 'What may have happened to a card’s computer, and whether it would change something.',
        ...listed,
        params: closed({ cardId: id<CardId>() }),
      },
    },
    (request) => offers({ kind: 'card', id: request.params.cardId }, callerOf(request).permissions),
  );
  app.get(
    '/api/v1/devices/:deviceId/life-cycle-acts',
    {
      config: { permission: 'devices:read', etag: true },
      schema: {
        operationId: 'listDeviceActs',
        summary: 'What may have happened to a computer, and whether it would change something.',
        ...listed,
        params: closed({ deviceId: id<DeviceId>() }),
      },
    },
    (request) => offers({ kind: 'device', id: request.params.deviceId }, callerOf(request).permissions),
  );
  app.get(
    '/api/v1/people/:personId/life-cycle-acts',
    {
      config: { permission: 'people:read', etag: true },
      schema: {
        operationId: 'listPersonActs',
        summary: 'What may have happened to a person, and whether it would change something.',
        ...listed,
        params: closed({ personId: id<PersonId>() }),
      },
    },
    (request) => offers({ kind: 'person', id: request.params.personId }, callerOf(request).permissions),
  );
}

const codesOf = ({ made }: Performed) =>
  made.map(({ enrolment, code, handOverCode }) => ({
    enrolmentId: enrolment.id,
    personId: enrolment.personId,
    replacesCardId: enrolment.replacesCardId,
    ...{ code, handOverCode },
    expiresAt: enrolment.expiresAt.toISOString(),
  }));

function mayNot(permission: Permission): DomainError {
  const detail = `This act also needs the permission ${permission}.`;
  return new DomainError('forbidden', 'permission-missing', detail, { data: { permission } });
}

function notLookedAt(): DomainError {
  const detail = 'Ask with `preview` first, look at what would be done, and send its token.';
  return new DomainError('unprocessable', 'preview-needed', detail, {
    fields: [{ pointer: '/previewToken', detail }],
  });
}
