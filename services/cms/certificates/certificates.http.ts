import { Type } from 'typebox';
import type { CardId, CertificateId, DeviceId, PersonId } from '../kernel/ids.ts';
import type { Permission } from '../kernel/permission.ts';
import type { Runtime } from '../kernel/runtime.ts';
import { callerOf } from '../platform/authentication.http.ts';
import type { PageRequest } from '../platform/cursor.ts';
import { closed, id, line, oneOf, Problem, paging, ref, time } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import { certificateNotFound } from './certificate.ts';
import {
  ASSURANCES,
  CertificateList,
  CertificateSchema,
  certificatePage,
  STATUSES,
  toBody,
} from './certificates.schema.http.ts';
import type { CertificateFilters } from './filters.ts';
import type { CertificateViews } from './ports.ts';

const hex = (maxLength: number, description: string) =>
  Type.String({ pattern: '^[0-9a-fA-F]+$', minLength: 1, maxLength, description });

export function registerCertificateRoutes(app: App, deps: { views: CertificateViews; runtime: Runtime }): void {
  const list = (filters: CertificateFilters, page: PageRequest, permissions: ReadonlySet<Permission>) =>
    certificatePage(deps, filters, page, permissions);

  app.get(
    '/api/v1/certificates',
    {
      config: { permission: 'certificates:read' },
      schema: {
        operationId: 'listCertificates',
        summary: 'Find certificates by whose they are, by what they are, by their status; also as of a past time.',
        description:
          'Newest first; of `status=expired` what ended last. With `asOf` the status, the revocation and the attestation are those of that moment, as recorded by then, and nothing can be done; it goes with a device, a card, a person, a serial number, a thumbprint or a public key.',
        tags: ['certificates'],
        querystring: closed({
          deviceId: Type.Optional(id<DeviceId>()),
          cardId: Type.Optional(id<CardId>()),
          personId: Type.Optional(id<PersonId>()),
          serialNumber: Type.Optional(hex(42, 'Hex in either case, leading zeros ignored.')),
          thumbprint: Type.Optional(hex(64, 'SHA-256 of the DER in hex.')),
          publicKey: Type.Optional(hex(64, 'SHA-256 of the SubjectPublicKeyInfo in hex.')),
          certificateProfile: Type.Optional(line(64)),
          authority: Type.Optional(line(64, { description: 'Name of a CA.' })),
          assurance: Type.Optional(oneOf(ASSURANCES)),
          status: Type.Optional(oneOf(STATUSES)),
          asOf: Type.Optional(time({ description: 'A past moment, RFC 3339.' })),
          ...paging,
        }),
        response: { 200: ref(CertificateList), default: ref(Problem) },
      },
    },
    async (request) => {
      const { cursor, limit, serialNumber, thumbprint, publicKey, asOf, ...filters } = request.query;
      return list(
        {
          ...filters,
          serialNumber: serialNumber?.toLowerCase().replace(/^(00)+(?=..)/, ''),
          thumbprint: thumbprint?.toLowerCase(),
          publicKey: publicKey?.toLowerCase(),
          asOf: asOf === undefined ? undefined : new Date(asOf),
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
