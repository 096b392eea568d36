import { DomainError } from '@cardwright/protocol';
import { Type } from 'typebox';
import { afterEach, describe, expect, it } from 'vitest';
import type { AuditEntry } from '../kernel/audit-entry.ts';
import { createLogger } from './log.pino.ts';
import { createRuntime } from './runtime.node.ts';
import { closed } from './schema.http.ts';
import { type App, createServer, type ServerOptions } from './server.http.ts';

const open: App[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((app) => app.close()));
});

const refused: { entry: AuditEntry; code: string }[] = [];

async function server(change: Partial<ServerOptions> = {}): Promise<App> {
  const app = await createServer({
    logger: createLogger('silent'),
    runtime: createRuntime(),
    credentials: { bearer: async () => null, session: async () => null },
    idempotencyKeys: { begin: async () => ({ kind: 'new' }), finish: async () => {}, forget: async () => {} },
    refusals: { refused: async (_intent, entry, code) => void refused.push({ entry, code }) },
    publicUrl: 'http://127.0.0.1',
    cookieSecure: false,
    requestsPerMinute: 1000,
    trustedProxies: [],
    components: [],
    ...change,
  });
  open.push(app);
  return app;
}

const answer = async () => ({ fine: true });

describe('a route', () => {
  it('without a declared permission does not start the server', async () => {
    const app = await server();
    expect(() => app.get('/api/v1/open', answer)).toThrow('GET /api/v1/open declares no permission');
    expect(() => app.get('/open', answer)).toThrow('declares no permission');
  });

  it('does not start with a permission that does not exist', async () => {
    const app = await server();
    const config = { permission: 'people:reed' } as unknown as { permission: 'people:read' };
    expect(() => app.get('/api/v1/people', { config }, answer)).toThrow('"people:reed", which does not exist');
  });

  it('that changes something says under which name its refusals are recorded, and what its body is', async () => {
    const app = await server();
    expect(() => app.post('/api/v1/people', { config: { permission: 'people:create' } }, answer)).toThrow(
      'declares no act',
    );
    const config = { permission: 'people:create', act: 'person.created' } as const;
    expect(() => app.post('/api/v1/people', { config }, answer)).toThrow('declares no body');
  });

  it('with a schema that makes no sense does not start the server', async () => {
    for (const wrong of [
      { type: 'strng' },
      { type: 'string', minLenght: 1 },
      { type: 'string', minLength: '1' },
      { type: 'string', pattern: '(' },
      { $ref: 'Nothing#' },
    ]) {
      const app = await server();
      const body = { type: 'object', properties: { name: wrong } };
      const config = { permission: 'people:create', act: 'person.created' } as const;
      app.post('/api/v1/people', { config, schema: { body } }, answer);
      await expect(app.ready(), JSON.stringify(wrong)).rejects.toThrow('Failed building the validation schema');
    }
  });

  it('also inside a plugin, where it is easily forgotten', async () => {
    const app = await server();
    await expect(app.register(async (scope) => void scope.get('/hidden', answer)).ready()).rejects.toThrow(
      'declares no permission',
    );
  });
});

describe('the limits', () => {
  it('turn a flood away before anyone is looked up, and say when to come back', async () => {
    let lookups = 0;
    const app = await server({
      requestsPerMinute: 3,
      credentials: {
        bearer: async () => {
          lookups += 1;
          return null;
        },
        session: async () => null,
      },
    });
    app.get('/api/v1/people', { config: { permission: 'people:read' } }, answer);
    const headers = { authorization: `Bearer ${'x'.repeat(32)}` };
    const statuses: number[] = [];
    for (let i = 0; i < 5; i++) statuses.push((await app.inject({ url: '/api/v1/people', headers })).statusCode);
    expect(statuses).toEqual([401, 401, 401, 429, 429]);
    expect(lookups).toBe(3);
    const last = await app.inject({ url: '/api/v1/people', headers });
    expect(last.json().code).toBe('rate-limited');
    expect(Number(last.headers['retry-after'])).toBeGreaterThan(0);
  });

  it('can be tighter for one route', async () => {
    const app = await server();
    app.get('/api/v1/guess', { config: { permission: 'public', perMinute: 2 } }, answer);
    const statuses: number[] = [];
    for (let i = 0; i < 3; i++) statuses.push((await app.inject('/api/v1/guess')).statusCode);
    expect(statuses).toEqual([200, 200, 429]);
  });

  it('do not believe X-Forwarded-For of strangers', async () => {
    const app = await server({ requestsPerMinute: 1 });
    app.get('/api/v1/x', { config: { permission: 'public' } }, answer);
    await app.inject({ url: '/api/v1/x', headers: { 'x-forwarded-for': '198.51.100.1' } });
    const second = await app.inject({ url: '/api/v1/x', headers: { 'x-forwarded-for': '198.51.100.2' } });
    expect(second.statusCode).toBe(429);
  });
});

describe('an error', () => {
  const body = closed({ cardId: Type.Optional(Type.String()), reason: Type.Optional(Type.String()) });

  async function failing(error: unknown): Promise<App> {
    const app = await server();
    app.post(
      '/api/v1/cards/:cardId/acts',
      { config: { permission: 'public', act: 'card.acted' }, schema: { body } },
      async () => {
        throw error;
      },
    );
    return app;
  }
  const post = (app: App, payload: object = {}) =>
    app.inject({ method: 'POST', url: '/api/v1/cards/0199f2a0-3333-7000-8000-000000000003/acts', payload });

  it('that nobody foresaw tells nothing of itself', async () => {
    const secret = 'password=hunter2 at /srv/secret.ts';
    const problem = await post(await failing(new Error(secret)));
    expect(problem.statusCode).toBe(500);
    expect(problem.body).not.toContain('hunter2');
    expect(problem.json()).toMatchObject({ code: 'internal', status: 500, title: 'Internal Server Error' });
  });

  it('of kind internal tells nothing either', async () => {
    const problem = await post(
      await failing(new DomainError('internal', 'vault-blob-invalid', 'blob 7 is broken', { data: { blob: 7 } })),
    );
    expect(problem.json().code).toBe('internal');
    expect(problem.body).not.toContain('blob');
  });

  it.each([
    ['invalid', 400],
    ['unauthenticated', 401],
    ['forbidden', 403],
    ['not-found', 404],
    ['conflict', 409],
    ['precondition-failed', 412],
    ['unprocessable', 422],
    ['precondition-required', 428],
    ['too-many', 429],
    ['unavailable', 503],
  ] as const)('of kind %s is %i', async (kind, status) => {
    const problem = await post(
      await failing(new DomainError(kind, 'some-code', 'Some detail.', { data: { state: 'x' } })),
    );
    expect(problem.statusCode).toBe(status);
    expect(problem.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(problem.json()).toMatchObject({
      type: 'about:blank',
      status,
      code: 'some-code',
      detail: 'Some detail.',
      data: { state: 'x' },
    });
    expect(problem.json().requestId).toBe(problem.headers['x-request-id']);
  });

  it('of a database that is away is 503, not a defect of ours', async () => {
    const away = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED' });
    const problem = await post(await failing(away));
    expect([problem.statusCode, problem.json().code]).toEqual([503, 'database-unavailable']);
    expect(problem.body).not.toContain('5432');
  });

  it('of a change is recorded with what it was about, and the refusal stands when it can not be recorded', async () => {
    refused.length = 0;
    const app = await failing(new DomainError('conflict', 'card-not-active', 'The card is retired.'));
    await post(app, { reason: 'Because\u0000' });
    expect(refused).toMatchObject([
      {
        code: 'card-not-active',
        entry: {
          action: 'card.acted',
          object: { kind: 'card', id: '0199f2a0-3333-7000-8000-000000000003' },
          about: { cardId: '0199f2a0-3333-7000-8000-000000000003' },
        },
      },
    ]);
    const broken = await server({ refusals: { refused: () => Promise.reject(new Error('no database')) } });
    broken.post('/api/v1/x', { config: { permission: 'public', act: 'x.done' }, schema: { body } }, async () => {
      throw new DomainError('conflict', 'card-not-active', 'The card is retired.');
    });
    expect((await broken.inject({ method: 'POST', url: '/api/v1/x', payload: {} })).json().code).toBe(
      'card-not-active',
    );
  });
});

describe('each answer', () => {
  it('says what a browser may do with it, and over https that there is no way back to http', async () => {
    for (const cookieSecure of [false, true]) {
      const app = await server({ cookieSecure });
      app.get('/fine', { config: { permission: 'public' } }, answer);
      for (const path of ['/fine', '/nothing-here']) {
        const { headers } = await app.inject(path);
        expect(headers).toMatchObject({
          'content-security-policy': expect.stringMatching(/^default-src 'none';/),
          'cross-origin-opener-policy': 'same-origin',
          'cross-origin-resource-policy': 'same-origin',
          'referrer-policy': 'no-referrer',
          'x-content-type-options': 'nosniff',
          'x-frame-options': 'DENY',
        });
        expect(headers['strict-transport-security']).toBe(
          cookieSecure ? 'max-age=31536000; includeSubDomains' : undefined,
        );
        expect(Object.keys(headers).filter((name) => name.startsWith('x-ratelimit'))).toEqual([]);
      }
    }
  });
});
