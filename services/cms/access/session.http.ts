import { randomBytes } from 'node:crypto';
import { DomainError, Secret } from '@cardwright/protocol';
import { Type } from 'typebox';
import { PERMISSIONS, type Principal } from '../kernel/permission.ts';
import { callerOf, cookieName, demandSameOrigin, hashToken, intentOf } from '../platform/authentication.http.ts';
import { closed, nullable, oneOf, Problem, ref, time } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import { permissionsOf, ROLES } from './roles.ts';
import type { createSignIn } from './sign-in.ts';
import type { createSignOut } from './sign-out.ts';

const exampleOperator = {
  id: '0199f2a0-4444-7000-8000-000000000004',
  name: 'helpdesk',
  displayName: 'Helen Desk',
  role: 'helpdesk',
};

const OperatorSchema = Type.Object(
  { id: Type.String(), name: Type.String(), displayName: Type.String(), role: oneOf(ROLES) },
  {
    $id: 'Operator',
    examples: [exampleOperator],
  },
);

const SessionSchema = Type.Object(
  {
    operator: ref(OperatorSchema),
    permissions: Type.Array(oneOf(PERMISSIONS)),
    expiresAt: nullable(time({ description: 'Null for an API token that does not expire.' })),
  },
  {
    $id: 'Session',
    examples: [
      {
        operator: exampleOperator,
        permissions: ['people:read', 'unblock:perform'],
        expiresAt: '2026-03-02T17:00:00.000Z',
      },
    ],
  },
);

const SignInSchema = closed(
  { userName: Type.String({ minLength: 1, maxLength: 100 }), password: Type.String({ minLength: 1, maxLength: 256 }) },
  { $id: 'SignIn', examples: [{ userName: 'helpdesk', password: 'correct horse battery staple' }] },
);

export const sessionComponents = [OperatorSchema, SessionSchema, SignInSchema];

export interface SessionDeps {
  readonly signIn: ReturnType<typeof createSignIn>;
  readonly signOut: ReturnType<typeof createSignOut>;
  readonly publicUrl: string;
  readonly cookieSecure: boolean;
}

/** Each sign-in under way holds 19 MiB for its hash: more than this many at once are sent away. */
const MAX_AT_ONCE = 8;

export function registerSessionRoutes(app: App, deps: SessionDeps): void {
  const origin = new URL(deps.publicUrl).origin;
  const cookie = { path: '/', httpOnly: true, sameSite: 'strict', secure: deps.cookieSecure } as const;
  const name = cookieName(deps.cookieSecure);
  let underWay = 0;

  app.post(
    '/api/v1/session',
    {
      config: { permission: 'public', act: 'session.opened', perMinute: 60 },
      schema: {
        operationId: 'signIn',
        summary: 'Sign in; the answer sets a cookie for eight hours.',
        tags: ['session'],
        body: ref(SignInSchema),
        response: { 200: ref(SessionSchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      // A page of another origin must not sign a browser in as someone of its choice.
      demandSameOrigin(request, origin, 'lenient');
      if (underWay >= MAX_AT_ONCE) {
        throw new DomainError('unavailable', 'overloaded', 'Too many sign-ins at once. Try again shortly.', {
          data: { retryAfterSeconds: 2 },
        });
      }
      underWay += 1;
      // Always a new token, whatever cookie was sent: a session can't be fixed beforehand.
      const token = randomBytes(32).toString('base64url');
      const password = Secret.fromText(request.body.password);
      try {
        const opened = await deps.signIn({
          userName: request.body.userName,
          password,
          address: request.ip,
          tokenHash: hashToken(token),
          requestId: request.id,
        });
        reply.setCookie(name, token, { ...cookie, expires: opened.expiresAt });
        return {
          operator: opened.operator,
          permissions: [...permissionsOf(opened.operator.role)],
          expiresAt: opened.expiresAt.toISOString(),
        };
      } finally {
        underWay -= 1;
        password.wipe();
      }
    },
  );

  app.get(
    '/api/v1/session',
    {
      config: { permission: 'signed-in' },
      schema: {
        operationId: 'getSession',
        summary: 'Who is signed in, and what they may do.',
        tags: ['session'],
        response: { 200: ref(SessionSchema), default: ref(Problem) },
      },
    },
    async (request) => describe(callerOf(request)),
  );

  app.delete(
    '/api/v1/session',
    {
      config: { permission: 'signed-in', act: 'session.closed' },
      schema: {
        operationId: 'signOut',
        summary: 'End this session.',
        tags: ['session'],
        response: { 204: Type.Null({ description: 'Signed out.' }), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const token = request.cookies[name];
      if (callerOf(request).credential === 'session' && token !== undefined)
        await deps.signOut(hashToken(token), intentOf(request));
      reply.clearCookie(name, cookie).code(204);
      return null;
    },
  );
}

function describe(caller: Principal) {
  const { actor } = caller;
  if (actor.kind !== 'operator') throw new Error('a device has no session');
  return {
    operator: { id: actor.id, name: actor.name, displayName: caller.displayName, role: actor.role },
    permissions: [...caller.permissions],
    expiresAt: caller.expiresAt?.toISOString() ?? null,
  };
}
