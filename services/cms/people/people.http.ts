import { DomainError } from '@cardwright/protocol';
import { Type } from 'typebox';
import type { PersonId } from '../kernel/ids.ts';
import { callerOf, intentOf } from '../platform/authentication.http.ts';
import { decodeCursor, limitOf, pageOf, UUID_KEY } from '../platform/cursor.ts';
import { giveVersion, versionToChange } from '../platform/etag.http.ts';
import {
  closed,
  id,
  line,
  listOf,
  nullable,
  Problem,
  paging,
  reason,
  ref,
  time,
  UNSHOWABLE,
} from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import type { createChangePerson } from './change-person.ts';
import type { createCreatePerson } from './create-person.ts';
import type { Person } from './person.ts';
import type { PersonViews } from './ports.ts';

const principalName = (more: object = {}) =>
  Type.String({ minLength: 3, maxLength: 320, pattern: `^[^@\\s${UNSHOWABLE}]+@[^@\\s${UNSHOWABLE}]+$`, ...more });

const email = () => Type.String({ format: 'email', maxLength: 320 });
const securityIdentifier = () =>
  Type.String({
    pattern: '^S-1-5-21(-(0|[1-9][0-9]{0,9})){4}$',
    maxLength: 60,
    description: 'SID of the Windows account. Needs the permission people:update, as it says whose account it is.',
  });
/** A principal of one component, in ASCII (RFC 4120 section 5.2.1). */
const PRINCIPAL_PART = '[\\x21-\\x2e\\x30-\\x3f\\x41-\\x5b\\x5d-\\x7e]';
const kerberosPrincipal = () =>
  Type.String({
    pattern: `^${PRINCIPAL_PART}{1,128}@${PRINCIPAL_PART}{1,127}$`,
    maxLength: 256,
    description: 'name@REALM, both in exact case. Needs the permission people:update.',
  });

const example = {
  id: '0199f2a0-1111-7000-8000-000000000001',
  displayName: 'Mary Major',
  userPrincipalName: 'mary.major@example.com',
  email: 'mary.major@example.com',
  organization: 'Example Ltd',
  securityIdentifier: 'S-1-5-21-3623811015-3361044348-30300820-1013',
  kerberosPrincipal: null,
  createdAt: '2026-03-02T09:00:00.000Z',
};

const PersonSchema = Type.Object(
  {
    id: Type.String(),
    displayName: Type.String(),
    userPrincipalName: Type.String(),
    email: nullable(Type.String()),
    organization: nullable(Type.String()),
    securityIdentifier: nullable(Type.String({ description: 'SID of the Windows account.' })),
    kerberosPrincipal: nullable(
      Type.String({ description: 'Null: what follows from the user principal name, its realm in upper case.' }),
    ),
    createdAt: time(),
  },
  { $id: 'Person', examples: [example] },
);
const ChangedPersonSchema = Type.Object(
  {
    person: ref(PersonSchema),
    certificatesWithOtherNames: Type.Array(Type.String(), {
      description:
        'Certificates of the person in force that say other names. A change does not touch them: reissue them.',
    }),
  },
  {
    $id: 'ChangedPerson',
    examples: [{ person: example, certificatesWithOtherNames: ['0199f2a0-5555-7000-8000-000000000005'] }],
  },
);
const PersonList = listOf(PersonSchema, { $id: 'PersonList' });
const NewPerson = closed(
  {
    displayName: line(200),
    userPrincipalName: principalName({ description: 'Kept in lower case.' }),
    email: Type.Optional(email()),
    organization: Type.Optional(line(200)),
    securityIdentifier: Type.Optional(securityIdentifier()),
    kerberosPrincipal: Type.Optional(kerberosPrincipal()),
  },
  {
    $id: 'NewPerson',
    examples: [
      { displayName: example.displayName, userPrincipalName: example.userPrincipalName, email: example.email },
    ],
  },
);

const PersonChangeSchema = closed(
  {
    displayName: Type.Optional(line(200)),
    userPrincipalName: Type.Optional(principalName({ description: 'Kept in lower case.' })),
    email: Type.Optional(nullable(email())),
    organization: Type.Optional(nullable(line(200))),
    securityIdentifier: Type.Optional(nullable(securityIdentifier())),
    kerberosPrincipal: Type.Optional(nullable(kerberosPrincipal())),
    reason: Type.Optional(reason),
  },
  { $id: 'PersonChange', minProperties: 1, examples: [{ displayName: 'Mary Minor', reason: 'Married' }] },
);

export const peopleComponents = [PersonSchema, PersonList, NewPerson, ChangedPersonSchema, PersonChangeSchema];

export interface PeopleDeps {
  readonly views: PersonViews;
  readonly createPerson: ReturnType<typeof createCreatePerson>;
  readonly changePerson: ReturnType<typeof createChangePerson>;
}

const toBody = ({ version: _version, ...person }: Person) => ({
  ...person,
  createdAt: person.createdAt.toISOString(),
});

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
      const { permissions } = callerOf(request);
      const person = await deps.createPerson(request.body, intentOf(request), permissions);
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
    async (request, reply) => {
      const person = await deps.views.find(request.params.personId);
      if (person === null) throw new DomainError('not-found', 'not-found', 'There is no such person.');
      giveVersion(reply, person.version);
      return toBody(person);
    },
  );

  app.patch(
    '/api/v1/people/:personId',
    {
      config: { permission: 'people:update', act: 'person.updated' },
      schema: {
        operationId: 'changePerson',
        summary: 'Write what the directory says of a person now: a new name, another address.',
        description:
          'What is left out stays; null takes a name away. Certificates that were issued stay as they are: the answer says which of them have other names.',
        tags: ['people'],
        params: closed({ personId: id<PersonId>() }),
        body: ref(PersonChangeSchema),
        response: { 200: ref(ChangedPersonSchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const expected = versionToChange(request);
      const { reason, ...change } = request.body;
      const intent = intentOf(request, { reason });
      const changed = await deps.changePerson(request.params.personId, change, expected, intent);
      giveVersion(reply, changed.person.version);
      return { person: toBody(changed.person), certificatesWithOtherNames: [...changed.certificatesWithOtherNames] };
    },
  );
}
