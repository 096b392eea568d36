import { DomainError } from '@cardwright/protocol';
import { Type } from 'typebox';
import type { PersonId } from '../kernel/ids.ts';
import { intentOf } from '../platform/authentication.http.ts';
import { decodeCursor, limitOf, pageOf, UUID_KEY } from '../platform/cursor.ts';
import { closed, id, line, listOf, nullable, Problem, paging, ref, time, UNSHOWABLE } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import type { createCreatePerson } from './create-person.ts';
import type { Person } from './person.ts';
import type { PersonViews } from './ports.ts';

const principalName = (more: object = {}) =>
  Type.String({ minLength: 3, maxLength: 320, pattern: `^[^@\\s${UNSHOWABLE}]+@[^@\\s${UNSHOWABLE}]+$`, ...more });

const example = {
  id: '0199f2a0-1111-7000-8000-000000000001',
  displayName: 'Mary Major',
  userPrincipalName: 'mary.major@example.com',
  email: 'mary.major@example.com',
  createdAt: '2026-03-02T09:00:00.000Z',
};

const PersonSchema = Type.Object(
  {
    id: Type.String(),
    displayName: Type.String(),
    userPrincipalName: Type.String(),
    email: nullable(Type.String()),
    createdAt: time(),
  },
  { $id: 'Person', examples: [example] },
);
const PersonList = listOf(PersonSchema, { $id: 'PersonList' });
const NewPerson = closed(
  {
    displayName: line(200),
    userPrincipalName: principalName({ description: 'Kept in lower case.' }),
    email: Type.Optional(Type.String({ format: 'email', maxLength: 320 })),
  },
  {
    $id: 'NewPerson',
    examples: [
      { displayName: example.displayName, userPrincipalName: example.userPrincipalName, email: example.email },
    ],
  },
);

export const peopleComponents = [PersonSchema, PersonList, NewPerson];

export interface PeopleDeps {
  readonly views: PersonViews;
  readonly createPerson: ReturnType<typeof createCreatePerson>;
}

const toBody = (person: Person) => ({ ...person, createdAt: person.createdAt.toISOString() });

export function registerPeopleRoutes(app: App, deps: PeopleDeps): void {
  app.post(
    '/api/v1/people',
    {
      config: { permission: 'people:create', act: 'person.created' },
      schema: {
        operationId: 'createPerson',
        summary: 'Enter a person who will hold cards.',
        tags: ['people'],
        body: ref(NewPerson),
        response: { 201: ref(PersonSchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const person = await deps.createPerson(request.body, intentOf(request));
      reply.code(201).header('location', `/api/v1/people/${person.id}`);
      return toBody(person);
    },
  );

  app.get(
    '/api/v1/people',
    {
      config: { permission: 'people:read' },
      schema: {
        operationId: 'listPeople',
        summary: 'Find people by a part of their name, or by their user principal name; newest first.',
        tags: ['people'],
        querystring: closed({
          q: Type.Optional(line(100, { minLength: 2 })),
          userPrincipalName: Type.Optional(principalName()),
          ...paging,
        }),
        response: { 200: ref(PersonList), default: ref(Problem) },
      },
    },
    async (request) => {
      const limit = limitOf(request.query);
      const rows = await deps.views.list(request.query, decodeCursor(request.query.cursor, UUID_KEY), limit + 1);
      return pageOf(rows, limit, (person) => person.id, toBody);
    },
  );

  app.get(
    '/api/v1/people/:personId',
    {
      config: { permission: 'people:read', etag: true },
      schema: {
        operationId: 'getPerson',
        summary: 'One person.',
        tags: ['people'],
        params: closed({ personId: id<PersonId>() }),
        response: { 200: ref(PersonSchema), default: ref(Problem) },
      },
    },
    async (request) => {
      const person = await deps.views.find(request.params.personId);
      if (person === null) throw new DomainError('not-found', 'not-found', 'There is no such person.');
      return toBody(person);
    },
  );
}
