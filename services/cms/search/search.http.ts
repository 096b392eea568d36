import { DomainError } from '@cardwright/protocol';
import { Type } from 'typebox';
import type { Permission } from '../kernel/permission.ts';
import { callerOf } from '../platform/authentication.http.ts';
import { closed, line, nullable, oneOf, Problem, ref } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import type { SearchHit, SearchIndex } from './hit.ts';

const KINDS = ['person', 'card', 'device', 'certificate'] as const;

/** A kind that the caller may not read is not searched. */
const NEEDS: Record<SearchHit['kind'], Permission> = {
  person: 'people:read',
  card: 'cards:read',
  device: 'devices:read',
  certificate: 'certificates:read',
};

const LIMIT_EACH = 10;

const SearchHitSchema = Type.Object(
  {
    kind: oneOf(KINDS),
    id: Type.String(),
    title: Type.String(),
    subtitle: Type.String(),
    state: nullable(Type.String()),
  },
  {
    $id: 'SearchHit',
    examples: [
      {
        kind: 'card',
        id: '0199f2a0-3333-7000-8000-000000000003',
        title: 'CW-7K3M-92QF',
        subtitle: 'Mary Major on lap-0421',
        state: 'active',
      },
    ],
  },
);
const SearchResult = Type.Object(
  { items: Type.Array(ref(SearchHitSchema)) },
  {
    $id: 'SearchResult',
    examples: [
      {
        items: [
          {
            kind: 'device',
            id: '0199f2a0-2222-7000-8000-000000000002',
            title: 'lap-0421',
            subtitle: 'linux-x64',
            state: null,
          },
        ],
      },
    ],
  },
);

export const searchComponents = [SearchHitSchema, SearchResult];

export function registerSearchRoutes(app: App, deps: { readonly index: SearchIndex }): void {
  app.get(
    '/api/v1/search',
    {
      config: { permission: 'people:read' },
      schema: {
        operationId: 'search',
        summary: 'Find people, cards, devices and certificates by one text.',
        description:
          'A part of a name, of a card serial or of a host name; the beginning of a certificate serial number or thumbprint.',
        tags: ['search'],
        querystring: closed({ q: line(100, { minLength: 2 }) }),
        response: { 200: ref(SearchResult), default: ref(Problem) },
      },
    },
    async (request) => {
      const { permissions } = callerOf(request);
      const kinds = KINDS.filter((kind) => permissions.has(NEEDS[kind]));
      const text = request.query.q.trim();
      // One letter would be searched for in every record there is.
      if (text.length < 2) {
        const detail = 'Search for two characters or more.';
        throw new DomainError('invalid', 'field-invalid', detail, { fields: [{ pointer: '/query/q', detail }] });
      }
      return { items: await deps.index.find(text, kinds, LIMIT_EACH) };
    },
  );
}
