import type { Prisma, PrismaClient, Enrolment as Row } from '../platform/generated/client.ts';
import { clientOf } from '../platform/unit-of-work.prisma.ts';
import type { Enrolment } from './enrolment.ts';
import type { EnrolmentFilters, EnrolmentProfile, Enrolments } from './ports.ts';

/** States in which a card counts as the one a person has on a device. The index `cards_one_live` is the last word. */
const IN_USE = ['active', 'blocked', 'suspended'];

export function createEnrolmentRecords(prisma: PrismaClient): Enrolments {
  return {
    async insert(tx, { createdBy, codeHash, handOver, ...enrolment }) {
      await clientOf(tx).enrolment.create({
        data: {
          ...enrolment,
          handOver: handOver?.state ?? null,
          handOverKey: handOver === null ? null : Uint8Array.from(handOver.publicKey),
          handOverSalt: handOver === null ? null : Uint8Array.from(handOver.salt),
          state: 'open',
          codeHash: Uint8Array.from(codeHash),
          createdById: createdBy.id,
          createdByName: createdBy.name,
        },
      });
    },

    async find(id) {
      const row = await prisma.enrolment.findUnique({ where: { id } });
      return row === null ? null : toEnrolment(row);
    },

    async lock(tx, id) {
      const client = clientOf(tx);
      await client.$queryRaw`SELECT 1 FROM enrolments WHERE id = ${id}::uuid FOR UPDATE`;
      const row = await client.enrolment.findUnique({ where: { id } });
      return row === null ? null : toEnrolment(row);
    },

    async lockByCode(tx, codeHash) {
      const client = clientOf(tx);
      const hash = Uint8Array.from(codeHash);
      await client.$queryRaw`SELECT 1 FROM enrolments WHERE code_hash = ${hash} FOR UPDATE`;
      const row = await client.enrolment.findUnique({ where: { codeHash: hash } });
      return row === null ? null : toEnrolment(row);
    },

    async lockReissueOf(tx, cardId) {
      const client = clientOf(tx);
      await client.$queryRaw`SELECT 1 FROM enrolments WHERE replaces_card_id = ${cardId}::uuid AND state <> 'cancelled' FOR UPDATE`;
      const row = await client.enrolment.findFirst({ where: { replacesCardId: cardId, state: { not: 'cancelled' } } });
      return row === null ? null : toEnrolment(row);
    },

    async setClaimed(tx, id, deviceId, cardId) {
      const data = { state: 'claimed', deviceId, cardId, version: { increment: 1 } };
      await clientOf(tx).enrolment.update({ where: { id }, data });
    },

    async setCompleted(tx, id, completedAt) {
      const data = { state: 'completed', completedAt, version: { increment: 1 } };
      await clientOf(tx).enrolment.update({ where: { id }, data });
    },

    async setCancelled(tx, id) {
      await clientOf(tx).enrolment.update({ where: { id }, data: { state: 'cancelled', version: { increment: 1 } } });
    },

    async list(filters, now, after, limit) {
      const rows = await prisma.enrolment.findMany({
        where: { ...filterOf(filters, now), ...(after === null ? {} : { id: { lt: after } }) },
        orderBy: { id: 'desc' },
        take: limit,
      });
      return rows.map(toEnrolment);
    },

    person: (personId) =>
      prisma.person.findUnique({ where: { id: personId }, select: { userPrincipalName: true, email: true } }),

    async setSupervision(tx, id, { confirmationCode, keyVersion }) {
      const data = { confirmationCode, pinKeyVersion: keyVersion, pinConfirmedAt: null, version: { increment: 1 } };
      await clientOf(tx).enrolment.update({ where: { id }, data });
    },

    async setPinConfirmed(tx, id, pinConfirmedAt) {
      await clientOf(tx).enrolment.update({ where: { id }, data: { pinConfirmedAt, version: { increment: 1 } } });
    },

    async setHandedOver(tx, cardId) {
      const where = { cardId, state: 'completed', handOver: 'pending' };
      const data = { handOver: 'done', version: { increment: 1 } };
      return (await clientOf(tx).enrolment.updateMany({ where, data })).count > 0;
    },

    async profile(name) {
      const row = await prisma.cardProfile.findUnique({ where: { name } });
      // A card that exists already is registered, not enrolled.
      if (row === null || row.kind !== 'tpm') return null;
      // Written by migrations and administrators only; the checks of the database hold the rest.
      return {
        name: row.name,
        keyStrategy: row.keyStrategy as EnrolmentProfile['keyStrategy'],
        pinLimit: row.pinLimit,
        pinPolicy: row.pinPolicy as EnrolmentProfile['pinPolicy'],
        containers: row.containers as unknown as EnrolmentProfile['containers'],
        attestation: row.attestation as EnrolmentProfile['attestation'],
        enrolmentMethods: row.enrolmentMethods as unknown as EnrolmentProfile['enrolmentMethods'],
        initialPin: row.initialPin as EnrolmentProfile['initialPin'],
        signerAssurance: row.signerAssurance as EnrolmentProfile['signerAssurance'],
      };
    },

    async hasCardInUse(tx, personId, deviceId) {
      const where = { personId, deviceId, state: { in: IN_USE } };
      return (await clientOf(tx).card.findFirst({ where, select: { id: true } })) !== null;
    },

    async lockUnfinished(tx, personId, deviceId) {
      const client = clientOf(tx);
      await client.$queryRaw`SELECT 1 FROM enrolments WHERE person_id = ${personId}::uuid AND device_id = ${deviceId}::uuid
        AND state = 'claimed' ORDER BY id FOR UPDATE`;
      const rows = await client.enrolment.findMany({ where: { personId, deviceId, state: 'claimed' } });
      return rows.map(toEnrolment).filter((enrolment) => enrolment.state === 'claimed');
    },

    async claimOf(enrolmentId) {
      const row = await prisma.enrolment.findUnique({
        where: { id: enrolmentId },
        select: {
          card: { select: { serial: true } },
          person: { select: { displayName: true, userPrincipalName: true } },
        },
      });
      return row === null || row.card === null ? null : { cardSerial: row.card.serial, person: row.person };
    },
  };
}

function filterOf({ personId, state }: EnrolmentFilters, now: Date): Prisma.EnrolmentWhereInput {
  return {
    ...(personId === undefined ? {} : { personId }),
    ...(state === undefined ? {} : { state: state === 'expired' ? 'open' : state }),
    ...(state === 'expired' ? { expiresAt: { lte: now } } : state === 'open' ? { expiresAt: { gt: now } } : {}),
  };
}

function toEnrolment(row: Row): Enrolment {
  const { id, personId, profileName, replacesCardId, expiresAt, createdAt, deviceId, cardId, state } = row;
  const createdBy = { id: row.createdById, name: row.createdByName };
  const common = {
    ...{ id, personId, profileName, replacesCardId, expiresAt, createdAt, createdBy },
    // The checks of the database hold the sets.
    method: row.method as Enrolment['method'],
    initialPin: row.initialPin as Enrolment['initialPin'],
    supervision: supervisionOf(row),
    handOver: handOverOf(row),
  };
  if (state === 'open') return { ...common, state };
  if (state === 'cancelled') return { ...common, state, deviceId, cardId };
  if ((state === 'claimed' || state === 'completed') && deviceId !== null && cardId !== null) {
    return { ...common, state, deviceId, cardId };
  }
  throw new Error(`enrolment ${id} is ${state} and does not say by which device or with which card`);
}

function supervisionOf({ confirmationCode, pinKeyVersion, pinConfirmedAt }: Row): Enrolment['supervision'] {
  if (confirmationCode === null || pinKeyVersion === null) return null;
  return { confirmationCode, keyVersion: pinKeyVersion, confirmedAt: pinConfirmedAt };
}

function handOverOf({ handOver, handOverKey, handOverSalt }: Row): Enrolment['handOver'] {
  if (handOver === null || handOverKey === null || handOverSalt === null) return null;
  return { state: handOver === 'done' ? 'done' : 'pending', publicKey: handOverKey, salt: handOverSalt };
}
