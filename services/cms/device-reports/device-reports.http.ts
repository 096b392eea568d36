import { Type } from 'typebox';
import { deviceIntentOf } from '../device-link/index.ts';
import { closed, line, nullable, oneOf, Problem, ref, time } from '../platform/schema.http.ts';
import type { App } from '../platform/server.http.ts';
import { type KeepReportDependencies, keepReport } from './keep-report.ts';
import { type KeptReport, LEVELS } from './report.ts';

const example = {
  agentVersion: '0.1.0',
  checkedAt: '2026-03-02T09:13:58.000Z',
  tpm: { manufacturer: 'IFX', firmware: '7.85.4555.0', revision: '1.59' },
  findings: [
    { check: 'pin-index', level: 'ok' as const, message: 'A PIN index was made and removed again.', advice: null },
    {
      check: 'endorsement-certificate',
      level: 'warning' as const,
      message: "The TPM holds no certificate of its maker: it can't prove that it is one.",
      advice: 'Some makers publish it (tpm2_getekcertificate). Profiles that require attestation refuse this device.',
    },
  ],
};

const finding = (text: (maxLength: number) => ReturnType<typeof Type.String>) => ({
  check: text(40),
  level: oneOf(LEVELS),
  message: text(500),
  advice: nullable(text(500)),
});

export const DeviceReportSchema = Type.Object(
  {
    level: oneOf(LEVELS, { description: 'The worst of the findings.' }),
    agentVersion: Type.String(),
    checkedAt: time({ description: "By the device's clock." }),
    receivedAt: time(),
    tpm: nullable(Type.Object({ manufacturer: Type.String(), firmware: Type.String(), revision: Type.String() })),
    findings: Type.Array(Type.Object(finding(() => Type.String()))),
  },
  {
    $id: 'DeviceReport',
    description: 'How ready for cards the device found itself: its own word (`cardwright-agent doctor`).',
    examples: [
      {
        level: 'warning',
        agentVersion: example.agentVersion,
        checkedAt: example.checkedAt,
        receivedAt: '2026-03-02T09:14:00.000Z',
        tpm: example.tpm,
        findings: example.findings,
      },
    ],
  },
);
const DeviceReportTaken = Type.Object(
  { level: oneOf(LEVELS) },
  { $id: 'DeviceReportTaken', examples: [{ level: 'warning' }] },
);
export const deviceReportComponents = [DeviceReportSchema, DeviceReportTaken];

export const reportBody = ({ level, agentVersion, checkedAt, receivedAt, tpm, findings }: KeptReport) => ({
  level,
  agentVersion,
  checkedAt: checkedAt.toISOString(),
  receivedAt: receivedAt.toISOString(),
  tpm,
  findings: findings.map((each) => ({ ...each })),
});

/** From one address, which may be that of a whole office. */
const PER_MINUTE = 600;
const MAX_FINDINGS = 64;

export function registerDeviceReportRoutes(app: App, deps: KeepReportDependencies): void {
  app.post(
    '/api/v1/agent/doctor-reports',
    {
      config: { permission: 'device', act: 'device.examined', perMinute: PER_MINUTE },
      schema: {
        operationId: 'reportReadiness',
        summary: 'Say how ready for cards this device is. Replaces its report before.',
        tags: ['agent'],
        body: closed(
          {
            agentVersion: line(40),
            checkedAt: time(),
            tpm: nullable(closed({ manufacturer: line(100), firmware: line(100), revision: line(100) })),
            findings: Type.Array(closed(finding(line)), { minItems: 1, maxItems: MAX_FINDINGS }),
          },
          { examples: [example] },
        ),
        response: { 201: ref(DeviceReportTaken), default: ref(Problem) },
      },
    },
    async (request, reply) => {
      const { checkedAt, ...report } = request.body;
      const taken = await keepReport(deps, deviceIntentOf(request), { ...report, checkedAt: new Date(checkedAt) });
      return reply.code(201).send(taken);
    },
  );
}
