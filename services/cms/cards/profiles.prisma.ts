import type { PrismaClient, CardProfile as Row } from '../platform/generated/client.ts';
import { clientOf } from '../platform/unit-of-work.prisma.ts';
import type { CardProfiles, CardProfileView, ProfileViews } from './ports.ts';

/** Profiles are few: a list has no pages. */
const MAX_PROFILES = 200;

export function createProfileViews(prisma: PrismaClient): ProfileViews & CardProfiles {
  return {
    async list() {
      const rows = await prisma.cardProfile.findMany({ orderBy: { name: 'asc' }, take: MAX_PROFILES });
      return rows.map(toProfile);
    },
    async find(name) {
      const row = await prisma.cardProfile.findUnique({ where: { name } });
      return row === null ? null : toProfile(row);
    },
    async insert(tx, profile) {
      const { count } = await clientOf(tx).cardProfile.createMany({ data: [toRow(profile)], skipDuplicates: true });
      return count === 1;
    },
    async lock(tx, name) {
      const client = clientOf(tx);
      await client.$queryRaw`SELECT 1 FROM card_profiles WHERE name = ${name} FOR UPDATE`;
      const row = await client.cardProfile.findUnique({ where: { name } });
      return row === null ? null : toProfile(row);
    },
    async update(tx, profile) {
      const { name, ...data } = toRow(profile);
      await clientOf(tx).cardProfile.update({ where: { name }, data });
    },
    async setKeyRotation(tx, name, keyRotationDays) {
      const client = clientOf(tx);
      await client.$queryRaw`SELECT 1 FROM card_profiles WHERE name = ${name} FOR UPDATE`;
      const before = await client.cardProfile.findUnique({ where: { name }, select: { keyRotationDays: true } });
      if (before === null) return undefined;
      await client.cardProfile.update({ where: { name }, data: { keyRotationDays, version: { increment: 1 } } });
      return before.keyRotationDays;
    },
  };
}

const toRow = ({ pinPolicy, containers, enrolmentMethods, ...profile }: CardProfileView) => ({
  ...profile,
  enrolmentMethods: [...enrolmentMethods],
  pinPolicy: { ...pinPolicy },
  containers: containers.map((one) => JSON.parse(JSON.stringify(one))),
});

// The checks of the database hold the sets.
function toProfile(row: Row): CardProfileView {
  return {
    ...row,
    kind: row.kind as CardProfileView['kind'],
    algorithm: row.algorithm as CardProfileView['algorithm'],
    challengeMode: row.challengeMode as CardProfileView['challengeMode'],
    keyStrategy: row.keyStrategy as CardProfileView['keyStrategy'],
    derivation: row.derivation as CardProfileView['derivation'],
    puk: row.puk as CardProfileView['puk'],
    attestation: row.attestation as CardProfileView['attestation'],
    enrolmentMethods: row.enrolmentMethods as unknown as CardProfileView['enrolmentMethods'],
    initialPin: row.initialPin as CardProfileView['initialPin'],
    signerAssurance: row.signerAssurance as CardProfileView['signerAssurance'],
    pinPolicy: row.pinPolicy as CardProfileView['pinPolicy'],
    containers: row.containers as unknown as CardProfileView['containers'],
  };
}
