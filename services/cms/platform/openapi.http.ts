import { STATUS_CODES } from 'node:http';
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';

export const openApiOptions: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'Cardwright',
      version: '1.0.0',
      description:
        'Virtual smart cards: who has which, on which device, and what was done with it. Errors are RFC 9457 problems with a stable `code`. Unsafe POSTs take an `Idempotency-Key`. Lists take `cursor` and `limit` and answer `items` and `next`.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'An API token of an operator or an integration.' },
        device: { type: 'http', scheme: 'bearer', description: 'The token that a device made when it was enrolled.' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: '__Host-cardwright',
          description: 'Set by POST /api/v1/session.',
        },
      },
    },
  },
  hideUntagged: true,
  refResolver: {
    // Named components keep the names of their schemas.
    buildLocalReference: (json, _baseUri, _fragment, index) =>
      typeof json.$id === 'string' ? json.$id : `def-${index}`,
  },
  transformObject: (document) => {
    if (!('openapiObject' in document)) return document.swaggerObject;
    for (const item of Object.values(document.openapiObject.paths ?? {})) {
      for (const operation of Object.values(item ?? {})) nameAnswers(operation);
    }
    return document.openapiObject;
  },
  transform: ({ schema, url, route }) => {
    const permission = route.config?.permission;
    const security: Record<string, string[]>[] =
      permission === undefined || permission === 'public'
        ? []
        : permission === 'device' || permission === 'device-attesting'
          ? [{ device: [] }]
          : [{ bearer: [] }, { session: [] }];
    const headers =
      route.method === 'POST' && permission !== 'public' && permission !== 'device' && permission !== 'device-attesting'
        ? {
            headers: {
              type: 'object',
              properties: {
                'Idempotency-Key': {
                  type: 'string',
                  maxLength: 200,
                  description: 'The same key with the same request gives the first answer again, for 24 hours.',
                },
              },
            },
          }
        : route.method === 'PUT' || route.method === 'PATCH'
          ? {
              headers: {
                type: 'object',
                properties: {
                  'If-Match': {
                    type: 'string',
                    maxLength: 200,
                    description: 'The ETag of what is to be changed. Needed.',
                  },
                },
              },
            }
          : {};
    return { url, schema: { ...schema, ...headers, security, 'x-permission': permission } };
  },
};

/** What the schemas of routes have no place for: what a status means, and that a problem has a media type of its own. */
function nameAnswers(operation: unknown): void {
  const { responses = {} } = operation as { responses?: Record<string, Answer> };
  for (const [status, answer] of Object.entries(responses)) {
    if (status !== 'default') {
      answer.description = STATUS_CODES[status] ?? status;
      continue;
    }
    answer.description = 'Refused: see `code`.';
    const json = answer.content?.['application/json'];
    if (json !== undefined) answer.content = { 'application/problem+json': json };
  }
}

interface Answer {
  description: string;
  content?: Record<string, unknown>;
}
