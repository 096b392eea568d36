import { type Static, Type } from 'typebox';
import type { Authorities } from '../certificates/index.ts';
import type { Intent } from '../kernel/actor.ts';
import { intentOf } from '../platform/authentication.http.ts';
import { closed, line, nullable, oneOf, Problem, ref, ticket, time } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import { NAME_KINDS } from './kinds.ts';
import type { AuthorityStates } from './ports.ts';

const example = {
  name: 'corp-cfssl',
  kind: 'cfssl' as const,
  configured: true,
  profiles: ['tls-client', 'smime-signature'],
  names: ['email' as const, 'dnsNames' as const],
  abilities: { revocation: 'immediate' as const, hold: false, list: false, crl: false },
  health: {
    state: 'down' as const,
    since: '2026-11-20T09:00:00.000Z',
    checkedAt: '2026-11-20T09:10:00.000Z',
    error: { code: 'ca-unavailable', detail: 'The CA can not be reached, or is not who it should be.' },
  },
  pending: { certificates: 3, revocations: 1, unwanted: 0 },
};

const AuthoritySchema = Type.Object(
  {
    name: Type.String({ description: 'What certificate profiles name it by.' }),
    kind: nullable(oneOf(['embedded', 'cfssl', 'est', 'script'])),
    configured: Type.Boolean({ description: 'False: work waits for a CA that the configuration no longer has.' }),
    profiles: Type.Array(Type.String(), { description: 'The certificate kinds it issues.' }),
    names: Type.Array(oneOf(NAME_KINDS), { description: 'What it can put into a certificate, beside the subject.' }),
    abilities: Type.Object({
      revocation: nullable(
        oneOf(['immediate', 'by-hand'], {
          description: 'by-hand: a person revokes at the CA, then says so by POST …/hand-revocations.',
        }),
      ),
      hold: Type.Boolean(),
      list: Type.Boolean(),
      crl: Type.Boolean(),
    }),
    health: Type.Object({
      state: oneOf(['up', 'down', 'unknown']),
      since: nullable(time()),
      checkedAt: nullable(time()),
      error: nullable(Type.Object({ code: Type.String(), detail: Type.String() })),
    }),
    pending: Type.Object({
      certificates: Type.Integer({ description: 'Asked for, and not issued yet.' }),
      revocations: Type.Integer({ description: 'Decided, and not confirmed by the CA yet.' }),
      unwanted: Type.Integer({ description: 'Given by the CA, refused by us, not revoked there yet.' }),
    }),
  },
  { $id: 'CertificateAuthority', examples: [example] },
);
const AuthorityList = Type.Object(
  { items: Type.Array(ref(AuthoritySchema)) },
  { $id: 'CertificateAuthorityList', examples: [{ items: [example] }] },
);
const HandRevocationSchema = Type.Object(
  { serialNumber: Type.String(), revokedAt: time() },
  {
    $id: 'HandRevocation',
    examples: [{ serialNumber: '5f0c3d9a1be24c7788aa10bb42cc93de', revokedAt: '2026-11-20T09:30:00.000Z' }],
  },
);
export const authorityComponents = [AuthoritySchema, AuthorityList, HandRevocationSchema];

export interface AuthorityRouteDependencies {
  readonly authorities: Authorities;
  readonly authorityStates: AuthorityStates;
  readonly revokeByHand: (
    intent: Intent,
    authority: string,
    serialNumber: string,
  ) => Promise<{ readonly serialNumber: string; readonly revokedAt: Date }>;
}

export function registerAuthorityRoutes(app: App, deps: AuthorityRouteDependencies): void {
  app.get(
    '/api/v1/certificate-authorities',
    {
      config: { permission: 'certificates:read' },
      schema: {
        operationId: 'listCertificateAuthorities',
        summary: 'The CAs that certificate profiles may name: what each can do, how it is, and what waits for it.',
        tags: ['certificates'],
        querystring: closed({}),
        response: { 200: ref(AuthorityList), default: ref(Problem) },
      },
    },
    async () => ({ items: await authoritiesIn(deps) }),
  );

  app.post(
    '/api/v1/certificate-authorities/:name/hand-revocations',
    {
      config: { permission: 'certificates:revoke', act: 'certificate.revoked-by-hand' },
      schema: {
        operationId: 'recordHandRevocation',
        summary: 'Say that a certificate was revoked at a CA that Cardwright can not tell.',
        tags: ['certificates'],
        params: closed({ name: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,62}$', maxLength: 63 }) }),
        body: closed(
          {
            serialNumber: Type.String({ pattern: '^[0-9a-fA-F]+$', minLength: 1, maxLength: 42 }),
            comment: line(500, { description: 'How it was done. Kept in the audit log.' }),
            ticket: Type.Optional(ticket),
          },
          {
            examples: [
              { serialNumber: '5f0c3d9a1be24c7788aa10bb42cc93de', comment: 'Revoked in the console of the CA' },
            ],
          },
        ),
        response: { 201: ref(HandRevocationSchema), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const { serialNumber, comment, ticket: reference } = request.body;
      const intent = intentOf(request, { reason: comment, ticket: reference });
      const number = serialNumber.toLowerCase().replace(/^(00)+(?=..)/, '');
      const done = await deps.revokeByHand(intent, request.params.name, number);
      return reply.code(201).send({ serialNumber: number, revokedAt: done.revokedAt.toISOString() });
    },
  );
}

const NOTHING = { certificates: 0, revocations: 0, unwanted: 0 };
const UNKNOWN = { kind: null, profiles: [], names: [], revocation: null, hold: false, list: false, crl: false };

async function authoritiesIn(deps: AuthorityRouteDependencies): Promise<Static<typeof AuthoritySchema>[]> {
  const [states, pending] = [await deps.authorityStates.all(), await deps.authorityStates.pending()];
  const described = deps.authorities.describe();
  const gone = [...pending.keys()].filter((name) => !described.some((one) => one.name === name));
  return [
    ...described.map((one) => ({ ...one, configured: true })),
    ...gone.map((name) => ({ ...UNKNOWN, name, configured: false })),
  ].map(({ name, kind, configured, profiles, names, ...abilities }) => {
    const state = configured ? states.find((one) => one.name === name) : undefined;
    const { revocation, hold, list, crl } = abilities;
    return {
      ...{ name, kind, configured, profiles: [...profiles], names: [...names] },
      abilities: { revocation, hold, list, crl },
      health: {
        state: state?.state ?? 'unknown',
        since: state?.since.toISOString() ?? null,
        checkedAt: state?.checkedAt.toISOString() ?? null,
        error: state?.code == null ? null : { code: state.code, detail: state.detail ?? '' },
      },
      pending: pending.get(name) ?? NOTHING,
    };
  });
}
