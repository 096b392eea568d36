import type { Attestation, PrismaClient, DeviceIdentity as Row } from '../platform/generated/client.ts';
import { clientOf } from '../platform/unit-of-work.prisma.ts';
import type { DeviceIdentity, Identities } from './ports.ts';

/** Attestations that one device may have begun and not ended. */
const MAX_PENDING = 8;

const own = (bytes: Uint8Array) => Uint8Array.from(bytes);

export function createIdentities(prisma: PrismaClient): Identities {
  return {
    async find(deviceId) {
      const row = await prisma.deviceIdentity.findUnique({ where: { deviceId } });
      return row === null ? null : toIdentity(row);
    },

    async findIn(tx, deviceId) {
      const row = await clientOf(tx).deviceIdentity.findUnique({ where: { deviceId } });
      return row === null ? null : toIdentity(row);
    },

    async lockDevice(tx, deviceId) {
      const client = clientOf(tx);
      await client.$queryRaw`SELECT 1 FROM devices WHERE id = ${deviceId}::uuid FOR UPDATE`;
      return client.device.findUnique({ where: { id: deviceId }, select: { storageKeyName: true } });
    },

    async bind(tx, identity) {
      const { deviceId, attestationKeyName, attestationKey, certificate, storageKey, attestedAt, tpm } = identity;
      const data = {
        ...columns(tpm),
        attestationKeyName,
        attestationKey: own(attestationKey),
        certificate: own(certificate),
        storageKey: own(storageKey),
        attestedAt,
      };
      const where = { deviceId };
      await clientOf(tx).deviceIdentity.upsert({ where, create: { deviceId, ...data }, update: data });
    },

    async markChanged(tx, deviceId, changedAt) {
      await clientOf(tx).deviceIdentity.updateMany({ where: { deviceId }, data: { changedAt } });
    },

    async propose(tx, { tpm, ...attestation }) {
      const client = clientOf(tx);
      const { deviceId, createdAt } = attestation;
      await client.attestation.deleteMany({ where: { deviceId, expiresAt: { lte: createdAt } } });
      const older = await client.attestation.findMany({
        where: { deviceId },
        orderBy: { createdAt: 'desc' },
        skip: MAX_PENDING - 1,
        select: { id: true },
      });
      await client.attestation.deleteMany({ where: { id: { in: older.map(({ id }) => id) } } });
      await client.attestation.create({
        data: {
          ...attestation,
          ...columns(tpm),
          attestationKey: own(attestation.attestationKey),
          certificate: own(attestation.certificate),
          credentialHash: own(attestation.credentialHash),
          nonce: own(attestation.nonce),
        },
      });
    },

    async proposed(tx, id) {
      const row = await clientOf(tx).attestation.findUnique({ where: { id } });
      if (row === null) return null;
      const { rootDigest, certificateDigest, manufacturer, model, firmware, ...rest } = row;
      return { ...rest, tpm: tpmOf(row) };
    },

    async setActivated(tx, id, activatedAt) {
      await clientOf(tx).attestation.update({ where: { id }, data: { activatedAt } });
    },
  };
}

const tpmOf = (row: Row | Attestation): DeviceIdentity['tpm'] => ({
  manufacturer: row.manufacturer,
  model: row.model,
  version: row.firmware,
  certificateDigest: row.certificateDigest,
  rootDigest: row.rootDigest,
});

const columns = ({ version, ...tpm }: DeviceIdentity['tpm']) => ({ ...tpm, firmware: version });

function toIdentity(row: Row): DeviceIdentity {
  const { deviceId, attestationKeyName, attestationKey, certificate, storageKey, attestedAt, changedAt } = row;
  return {
    ...{ deviceId, attestationKeyName, attestationKey, certificate, storageKey, attestedAt, changedAt },
    tpm: tpmOf(row),
  };
}
