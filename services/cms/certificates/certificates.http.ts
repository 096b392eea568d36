import { type Static, Type } from 'typebox';
import type { CardId, CertificateId, DeviceId, PersonId } from '../kernel/ids.ts';
import type { Permission } from '../kernel/permission.ts';
import type { Runtime } from '../kernel/runtime.ts';
import { callerOf } from '../platform/authentication.http.ts';
import { decodeCursor, limitOf, pageOf, UUID_KEY } from '../platform/cursor.ts';
import {
  AllowedAction,
  CardRef,
  closed,
  DeviceRef,
  id,
  listOf,
  nullable,
  OperatorRef,
  oneOf,
  PersonRef,
  Problem,
  paging,
  ref,
  time,
} from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import { allowedActions, certificateNotFound, shownStatus } from './certificate.ts';
import type { CertificateView, CertificateViews } from './ports.ts';

const STATUSES = ['proposed', 'active', 'on-hold', 'revoked', 'expired', 'failed'] as const;

const CertificateSchema = Type.Object(
  {
    id: Type.String(),
    cardId: Type.String(),
    deviceId: Type.String(),
    personId: Type.String(),
    container: Type.String({ description: 'The key slot on the card.' }),
    status: oneOf(STATUSES),
    serialNumber: nullable(Type.String({ description: 'Lower-case hex.' })),
    thumbprint: nullable(Type.String({ description: 'SHA-256 of the DER, lower-case hex.' })),
    subject: nullable(Type.String()),
    issuer: nullable(Type.String()),
    notBefore: nullable(time()),
    notAfter: nullable(time()),
    certificate: nullable(Type.String({ contentEncoding: 'base64', description: 'DER.' })),
    createdAt: time(),
    attestation: Type.Object(
      {
        state: oneOf(['attested', 'unattested', 'refused']),
        code: nullable(Type.String({ description: 'Why the evidence was refused.' })),
        judgedAt: nullable(time()),
      },
      { description: "Whether the device's TPM stated that the key is in it, and opened by this card's PIN alone." },
    ),
    revocation: nullable(
      Type.Object({
        state: oneOf(['proposed', 'confirmed'], { description: 'Confirmed once the CA has published it.' }),
        reason: Type.String(),
        comment: Type.String(),
        revokedAt: time(),
        requestedBy: ref(OperatorRef),
      }),
    ),
    person: ref(PersonRef),
    device: ref(DeviceRef),
    card: ref(CardRef),
    allowedActions: Type.Array(ref(AllowedAction)),
  },
  {
    $id: 'Certificate',
    examples: [
      {
        id: '0199f2a0-5555-7000-8000-000000000005',
        cardId: '0199f2a0-3333-7000-8000-000000000003',
        deviceId: '0199f2a0-2222-7000-8000-000000000002',
        personId: '0199f2a0-1111-7000-8000-000000000001',
        container: 'sign-in',
        status: 'active',
        serialNumber: '5f0c3d9a1be24c7788aa10bb42cc93de',
        thumbprint: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
        subject: 'CN=Mary Major',
        issuer: 'CN=Cardwright Issuing CA',
        notBefore: '2026-11-20T09:00:00.000Z',
        notAfter: '2027-11-20T09:00:00.000Z',
        certificate: 'MIIB',
        createdAt: '2026-11-20T09:00:00.000Z',
        attestation: { state: 'attested', code: null, judgedAt: '2026-11-20T09:00:00.000Z' },
        revocation: null,
        person: {
          id: '0199f2a0-1111-7000-8000-000000000001',
          displayName: 'Mary Major',
          userPrincipalName: 'mary.major@example.com',
        },
        device: { id: '0199f2a0-2222-7000-8000-000000000002', hostName: 'lap-0421' },
        card: { id: '0199f2a0-3333-7000-8000-000000000003', serial: 'CW-7K3M-92QF' },
        allowedActions: [{ action: 'revoke', allowed: true, disabledReason: null }],
      },
    ],
  },
);
const CertificateList = listOf(CertificateSchema, { $id: 'CertificateList' });
export const certificateComponents = [CertificateSchema, CertificateList];

const hex = (maxLength: number, description: string) =>
  Type.String({ pattern: '^[0-9a-fA-F]+$', minLength: 1, maxLength, description });

export function registerCertificateRoutes(app: App, deps: { views: CertificateViews; runtime: Runtime }): void {
  async function list(
    filters: Parameters<CertificateViews['list']>[0],
    page: { cursor?: string | undefined; limit?: number | undefined },
    permissions: ReadonlySet<Permission>,
  ) {
    const limit = limitOf(page);
    const now = deps.runtime.now();
    const rows = await deps.views.list(filters, now, decodeCursor(page.cursor, UUID_KEY), limit + 1);
    return pageOf(
      rows,
      limit,
      (row) => row.id,
      (row) => toBody(row, now, permissions),
    );
  }

  app.get(
    '/api/v1/certificates',
    {
      config: { permission: 'certificates:read' },
      schema: {
        operationId: 'listCertificates',
        summary: 'Find certificates by device, card, person, serial number, thumbprint or status; newest first.',
        tags: ['certificates'],
        querystring: closed({
          deviceId: Type.Optional(id<DeviceId>()),
          cardId: Type.Optional(id<CardId>()),
          personId: Type.Optional(id<PersonId>()),
          serialNumber: Type.Optional(hex(42, 'Hex in either case, leading zeros ignored.')),
          thumbprint: Type.Optional(hex(64, 'SHA-256 of the DER in hex.')),
          status: Type.Optional(oneOf(STATUSES)),
          ...paging,
        }),
        response: { 200: ref(CertificateList), default: ref(Problem) },
      },
    },
    async (request) => {
      const { cursor, limit, serialNumber, thumbprint, ...filters } = request.query;
      return list(
        {
          ...filters,
          serialNumber: serialNumber?.toLowerCase().replace(/^(00)+(?=..)/, ''),
          thumbprint: thumbprint?.toLowerCase(),
        },
        { cursor, limit },
        callerOf(request).permissions,
      );
    },
  );

  app.get(
    '/api/v1/cards/:cardId/certificates',
    {
      config: { permission: 'certificates:read' },
      schema: {
        operationId: 'listCardCertificates',
        summary: "A card's certificates, newest first.",
        tags: ['certificates'],
        params: closed({ cardId: id<CardId>() }),
        querystring: closed(paging),
        response: { 200: ref(CertificateList), default: ref(Problem) },
      },
    },
    async (request) => list({ cardId: request.params.cardId }, request.query, callerOf(request).permissions),
  );

  app.get(
    '/api/v1/certificates/:certificateId',
    {
      config: { permission: 'certificates:read', etag: true },
      schema: {
        operationId: 'getCertificate',
        summary: 'One certificate, with the card, the device and the person it belongs to.',
        tags: ['certificates'],
        params: closed({ certificateId: id<CertificateId>() }),
        response: { 200: ref(CertificateSchema), default: ref(Problem) },
      },
    },
    async (request) => {
      const view = await deps.views.find(request.params.certificateId);
      if (view === null) throw certificateNotFound();
      return toBody(view, deps.runtime.now(), callerOf(request).permissions);
    },
  );
}

const timeOf = (date: Date | null): string | null => date?.toISOString() ?? null;

function toBody(
  { der, attestation, attestationCode, attestedAt, ...view }: CertificateView,
  now: Date,
  permissions: ReadonlySet<Permission>,
): Static<typeof CertificateSchema> {
  const status = shownStatus(view, now);
  return {
    ...view,
    status,
    notBefore: timeOf(view.notBefore),
    notAfter: timeOf(view.notAfter),
    certificate: der === null ? null : Buffer.from(der).toString('base64'),
    createdAt: view.createdAt.toISOString(),
    attestation: { state: attestation, code: attestationCode, judgedAt: timeOf(attestedAt) },
    revocation:
      view.revocation === null ? null : { ...view.revocation, revokedAt: view.revocation.revokedAt.toISOString() },
    allowedActions: allowedActions(status, view.revocation !== null, permissions),
  };
}
