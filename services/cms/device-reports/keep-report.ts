import type { Actor, Intent } from '../kernel/actor.ts';
import type { AuditTrail } from '../kernel/audit-entry.ts';
import type { Runtime } from '../kernel/runtime.ts';
import type { UnitOfWork } from '../kernel/unit-of-work.ts';
import type { DeviceReports } from './ports.ts';
import { type DeviceReport, type Level, worstOf } from './report.ts';

export interface KeepReportDependencies {
  readonly deviceReports: DeviceReports;
  readonly unitOfWork: UnitOfWork;
  readonly audit: AuditTrail;
  readonly runtime: Runtime;
}

type DeviceIntent = Intent & { readonly actor: Extract<Actor, { kind: 'device' }> };

/** Replaces the device's report before. Only a change of its level is worth a line in the audit log. */
export async function keepReport(
  { deviceReports, unitOfWork, audit, runtime }: KeepReportDependencies,
  intent: DeviceIntent,
  report: DeviceReport,
): Promise<{ level: Level }> {
  const deviceId = intent.actor.id;
  const level = worstOf(report.findings);
  await unitOfWork.run(async (tx) => {
    const before = await deviceReports.levelOf(tx, deviceId);
    await deviceReports.put(tx, deviceId, { ...report, level, receivedAt: runtime.now() });
    if (before === level) return;
    await audit.record(tx, intent, {
      action: 'device.examined',
      object: { kind: 'device', id: deviceId },
      about: { deviceId },
      ...(before === null ? {} : { before: { level: before } }),
      after: { level, checks: report.findings.filter((f) => f.level === level && level !== 'ok').map((f) => f.check) },
    });
  });
  return { level };
}
