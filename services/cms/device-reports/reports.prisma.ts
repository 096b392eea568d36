import { Prisma, type PrismaClient } from '../platform/generated/client.ts';
import { clientOf } from '../platform/unit-of-work.prisma.ts';
import type { DeviceReports } from './ports.ts';
import type { KeptReport, Level } from './report.ts';

export function createDeviceReports(prisma: PrismaClient): DeviceReports {
  return {
    async find(deviceId) {
      const row = await prisma.deviceReport.findUnique({ where: { deviceId } });
      if (row === null) return null;
      const { level, agentVersion, checkedAt, receivedAt, tpm, findings } = row;
      // What we wrote ourselves, after the edge had read it.
      return {
        level: level as Level,
        agentVersion,
        checkedAt,
        receivedAt,
        tpm: tpm as unknown as KeptReport['tpm'],
        findings: findings as unknown as KeptReport['findings'],
      };
    },

    async levelOf(tx, deviceId) {
      await clientOf(tx).$queryRaw`SELECT id FROM devices WHERE id = ${deviceId}::uuid FOR UPDATE`;
      const row = await clientOf(tx).deviceReport.findUnique({ where: { deviceId }, select: { level: true } });
      return (row?.level ?? null) as Level | null;
    },

    async put(tx, deviceId, { level, agentVersion, checkedAt, receivedAt, tpm, findings }) {
      const data = {
        level,
        agentVersion,
        checkedAt,
        receivedAt,
        tpm: tpm === null ? Prisma.DbNull : { ...tpm },
        findings: findings.map((finding) => ({ ...finding })),
      };
      await clientOf(tx).deviceReport.upsert({ where: { deviceId }, create: { deviceId, ...data }, update: data });
    },
  };
}
