import { DomainError } from '@cardwright/protocol';
import { Type } from 'typebox';
import { DeviceReportSchema, type DeviceReports, reportBody } from '../device-reports/index.ts';
import type { DeviceId } from '../kernel/ids.ts';
import { decodeCursor, limitOf, pageOf, UUID_KEY } from '../platform/cursor.ts';
import { closed, id, line, listOf, nullable, Problem, paging, ref, time } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import type { Device } from './device.ts';
import type { DeviceViews } from './ports.ts';

const DeviceSchema = Type.Object(
  {
    id: Type.String(),
    hostName: Type.String(),
    platform: Type.String(),
    tpm: nullable(Type.Object({ manufacturer: Type.String(), firmware: Type.String(), revision: Type.String() })),
    createdAt: time(),
    lastSeenAt: nullable(time()),
    checkedInAt: nullable(time({ description: "The agent's last check-in." })),
    agentVersion: nullable(Type.String({ description: 'As of the last check-in.' })),
    attestation: nullable(
      Type.Object(
        {
          manufacturer: Type.String(),
          model: Type.String(),
          firmware: Type.String(),
          certificateDigest: Type.String({ description: 'SHA-256 of the endorsement key certificate, hex.' }),
          attestationKeyName: Type.String({ description: 'Name of the key by which it signs in, hex.' }),
          attestedAt: time(),
          tpmChangedAt: nullable(time({ description: 'When another TPM last spoke in its name.' })),
        },
        { description: "Which TPM it was proven to be, by its maker's certificate." },
      ),
    ),
  },
  {
    $id: 'Device',
    examples: [
      {
        id: '0199f2a0-2222-7000-8000-000000000002',
        hostName: 'lap-0421',
        platform: 'linux-x64',
        tpm: { manufacturer: 'IFX', firmware: '7.85', revision: '1.59' },
        createdAt: '2026-03-02T09:00:00.000Z',
        lastSeenAt: '2026-03-02T09:14:00.000Z',
        checkedInAt: '2026-03-02T09:14:00.000Z',
        agentVersion: '0.1.0',
        attestation: {
          manufacturer: 'id:49465800',
          model: 'SLB9672',
          firmware: 'id:0F150A00',
          certificateDigest: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
          attestationKeyName: '000be64e3dc75cf71cda9c09c306ba2bc164c4df33097571b554ba028713a5d1dae6',
          attestedAt: '2026-03-02T09:00:00.000Z',
          tpmChangedAt: null,
        },
      },
    ],
  },
);
const DeviceDetail = Type.Object(
  {
    ...DeviceSchema.properties,
    report: nullable(ref(DeviceReportSchema)),
  },
  {
    $id: 'DeviceDetail',
    examples: [
      {
        ...(DeviceSchema as { examples?: object[] }).examples?.[0],
        report: (DeviceReportSchema as { examples?: object[] }).examples?.[0],
      },
    ],
  },
);
const DeviceList = listOf(DeviceSchema, { $id: 'DeviceList' });

export const deviceComponents = [DeviceSchema, DeviceDetail, DeviceList];

const toBody = (device: Device) => ({
  ...device,
  createdAt: device.createdAt.toISOString(),
  lastSeenAt: device.lastSeenAt?.toISOString() ?? null,
  checkedInAt: device.checkedInAt?.toISOString() ?? null,
  attestation:
    device.attestation === null
      ? null
      : {
          ...device.attestation,
          attestedAt: device.attestation.attestedAt.toISOString(),
          tpmChangedAt: device.attestation.tpmChangedAt?.toISOString() ?? null,
        },
});

export function registerDeviceRoutes(
  app: App,
  deps: { readonly views: DeviceViews; readonly reports: DeviceReports },
): void {
  app.get(
    '/api/v1/devices',
    {
      config: { permission: 'devices:read' },
      schema: {
        operationId: 'listDevices',
        summary: 'Find devices by their host name or a part of it; newest first.',
        tags: ['devices'],
        querystring: closed({
          q: Type.Optional(line(100, { minLength: 2 })),
          hostName: Type.Optional(line(255)),
          ...paging,
        }),
        response: { 200: ref(DeviceList), default: ref(Problem) },
      },
    },
    async (request) => {
      const limit = limitOf(request.query);
      const rows = await deps.views.list(request.query, decodeCursor(request.query.cursor, UUID_KEY), limit + 1);
      return pageOf(rows, limit, (device) => device.id, toBody);
    },
  );

  app.get(
    '/api/v1/devices/:deviceId',
    {
      config: { permission: 'devices:read', etag: true },
      schema: {
        operationId: 'getDevice',
        summary: 'One device, with what it last said of its readiness for cards.',
        tags: ['devices'],
        params: closed({ deviceId: id<DeviceId>() }),
        response: { 200: ref(DeviceDetail), default: ref(Problem) },
      },
    },
    async (request) => {
      const device = await deps.views.find(request.params.deviceId);
      if (device === null) throw new DomainError('not-found', 'not-found', 'There is no such device.');
      const report = await deps.reports.find(device.id);
      return { ...toBody(device), report: report === null ? null : reportBody(report) };
    },
  );
}
