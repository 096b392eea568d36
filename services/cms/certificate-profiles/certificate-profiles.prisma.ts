import type { PrismaClient, CertificateProfile as Row } from '../platform/generated/client.ts';
import { clientOf } from '../platform/unit-of-work.prisma.ts';
import type { CertificateProfile, ContainerRule } from './certificate-profile.ts';
import type { CertificateProfileRecords } from './ports.ts';

/** Profiles are few, and a list of them has no pages; so are versions of one. */
const MAX_PROFILES = 200;
const MAX_VERSIONS = 500;

export function createCertificateProfiles(prisma: PrismaClient): CertificateProfileRecords {
  const newest = async (client: Pick<PrismaClient, 'certificateProfile'>, name: string) => {
    const row = await client.certificateProfile.findFirst({ where: { name }, orderBy: { version: 'desc' } });
    return row === null ? null : toProfile(row);
  };
  return {
    find: (name) => newest(prisma, name),
    findIn: (tx, name) => newest(clientOf(tx), name),

    async findVersion(name, version) {
      const row = await prisma.certificateProfile.findUnique({ where: { name_version: { name, version } } });
      return row === null ? null : toProfile(row);
    },

    async list() {
      const rows = await prisma.certificateProfile.findMany({
        distinct: ['name'],
        orderBy: [{ name: 'asc' }, { version: 'desc' }],
        take: MAX_PROFILES,
      });
      return rows.map(toProfile);
    },

    async versions(name) {
      const rows = await prisma.certificateProfile.findMany({
        where: { name },
        orderBy: { version: 'desc' },
        take: MAX_VERSIONS,
      });
      return rows.map(toProfile);
    },

    async insert(tx, { createdBy, people, names, keyTypes, ...profile }) {
      const data = {
        ...profile,
        keyTypes: [...keyTypes],
        ...(people === null ? {} : { people: JSON.parse(JSON.stringify(people)) }),
        names: { ...names },
        createdById: createdBy.id,
        createdByName: createdBy.name,
      };
      const { count } = await clientOf(tx).certificateProfile.createMany({ data: [data], skipDuplicates: true });
      return count === 1;
    },

    async usesIn(tx, name) {
      const rows = await clientOf(tx).cardProfile.findMany({ select: { name: true, containers: true } });
      return rows.flatMap(({ name: cardProfile, containers }) =>
        (containers as unknown as ContainerRule[])
          .filter((one) => one.certificateProfile === name)
          .map(({ container, keyType }) => ({ cardProfile, container, keyType })),
      );
    },
  };
}

// The checks of the database hold the sets, and nobody changes a row.
function toProfile({ createdById, createdByName, ...row }: Row): CertificateProfile {
  return {
    ...row,
    kind: row.kind as CertificateProfile['kind'],
    keyTypes: row.keyTypes as unknown as CertificateProfile['keyTypes'],
    renewalKey: row.renewalKey as CertificateProfile['renewalKey'],
    attestation: row.attestation as CertificateProfile['attestation'],
    people: row.people as CertificateProfile['people'],
    names: row.names as unknown as CertificateProfile['names'],
    createdBy: { id: createdById, name: createdByName },
  };
}
