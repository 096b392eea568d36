import { Type } from 'typebox';
import { intentOf } from '../platform/authentication.http.ts';
import { closed, nullable, oneOf, Problem, ref, time } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import { NAMED_KEY_KINDS, type NamedKeys } from './ports.ts';
import { type TakeNamedKeyPorts, takeNamedKey } from './take-named-key.ts';

const ALGORITHMS = ['tdes', 'aes-128', 'aes-192', 'aes-256'] as const;
const example = {
  name: 'campus-master',
  kind: 'an10922-master',
  algorithm: 'aes-128',
  kcv: '19C758',
  createdAt: '2026-03-02T09:00:00.000Z',
};

const NamedKeySchema = Type.Object(
  {
    name: Type.String(),
    kind: oneOf(NAMED_KEY_KINDS),
    algorithm: oneOf(ALGORITHMS, { description: 'Of the cards that depend on it.' }),
    kcv: nullable(Type.String({ description: 'Key check value.' })),
    createdAt: time(),
  },
  { $id: 'NamedKey', examples: [example] },
);
const NamedKeyList = Type.Object(
  { items: Type.Array(ref(NamedKeySchema)) },
  { $id: 'NamedKeyList', examples: [{ items: [example] }] },
);
const NewNamedKeySchema = closed(
  {
    name: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{1,63}$', maxLength: 64 }),
    kind: oneOf(NAMED_KEY_KINDS),
    algorithm: oneOf(ALGORITHMS),
    key: Type.String({
      minLength: 1,
      maxLength: 4096,
      description:
        "The key in hex digits, sealed to the vault's import key as JWE compact, with the name as `cardSerial` and the kind as `typ` in its protected header. Never in clear.",
    }),
  },
  {
    $id: 'NewNamedKey',
    examples: [
      { name: 'campus-master', kind: 'an10922-master', algorithm: 'aes-128', key: 'eyJhbGciOiJFQ0RILUVTIn0.a.b.c.d' },
    ],
  },
);

export const namedKeyComponents = [NamedKeySchema, NamedKeyList, NewNamedKeySchema];

export function registerNamedKeyRoutes(app: App, deps: TakeNamedKeyPorts & { readonly namedKeys: NamedKeys }): void {
  app.get(
    '/api/v1/named-keys',
    {
      config: { permission: 'named-keys:manage' },
      schema: {
        operationId: 'listNamedKeys',
        summary: 'Keys in the vault that several cards depend on. Their cards: GET /api/v1/cards?namedKey=.',
        tags: ['cards'],
        querystring: closed({}),
        response: { 200: ref(NamedKeyList), default: ref(Problem) },
      },
    },
    async (request) => ({ items: [...(await deps.namedKeys.list(intentOf(request)))] }),
  );

  app.post(
    '/api/v1/named-keys',
    {
      config: { permission: 'named-keys:manage', act: 'named-key.taken' },
      schema: {
        operationId: 'takeNamedKey',
        summary: 'Give the vault a uniform key, or the master key of a fleet from elsewhere.',
        description: 'Uniform keys are refused unless the vault is configured for them: they are unsafe.',
        tags: ['cards'],
        body: ref(NewNamedKeySchema),
        response: { 201: ref(NamedKeySchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const { key, ...rest } = request.body;
      const taken = await takeNamedKey(deps, intentOf(request), { ...rest, jwe: key });
      reply.code(201);
      return { ...taken };
    },
  );
}
