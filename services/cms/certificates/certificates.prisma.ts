import type { PrismaClient, Certificate as Row } from '../platform/generated/client.ts';
import { clientOf } from '../platform/unit-of-work.prisma.ts';
import type { Certificate, CertificateStatus, Issued } from './certificate.ts';
import type { CertificateRecords } from './ports.ts';

const MAX_COMMON_NAME = 64;

export function createCertificateRecords(prisma: PrismaClient): CertificateRecords {
  return {
    async insert(tx, certificate) {
      await clientOf(tx).certificate.create({
        data: { ...certificate, csr: own(certificate.csr), csrHash: own(certificate.csrHash), status: 'proposed' },
      });
    },

    async find(id) {
      const row = await prisma.certificate.findUnique({ where: { id } });
      return row === null ? null : toCertificate(row);
    },

    async lock(tx, id) {
      const client = clientOf(tx);
      await client.$queryRaw`SELECT 1 FROM certificates WHERE id = ${id}::uuid FOR UPDATE`;
      const row = await client.certificate.findUnique({ where: { id } });
      return row === null ? null : toCertificate(row);
    },

    async ofEnrolment(tx, enrolmentId) {
      const rows = await clientOf(tx).certificate.findMany({ where: { enrolmentId }, orderBy: { id: 'desc' } });
      return rows.map(toCertificate);
    },

    async lockLiveOfCard(tx, cardId) {
      const client = clientOf(tx);
      await client.$queryRaw`SELECT 1 FROM certificates WHERE card_id = ${cardId}::uuid AND status IN ('proposed', 'active', 'on-hold')
        ORDER BY id FOR UPDATE`;
      const rows = await client.certificate.findMany({
        where: { cardId, status: { in: ['proposed', 'active', 'on-hold'] } },
        orderBy: { id: 'desc' },
      });
      return rows.map(toCertificate);
    },

    async countSince(tx, cardId, container, since) {
      return await clientOf(tx).certificate.count({ where: { cardId, container, createdAt: { gte: since } } });
    },

    async setStatus(tx, id, status) {
      await clientOf(tx).certificate.update({ where: { id }, data: { status, version: { increment: 1 } } });
    },

    async setIssued(tx, id, issued) {
      const data = { ...issued, der: own(issued.der), status: 'active', version: { increment: 1 } };
      await clientOf(tx).certificate.update({ where: { id }, data });
    },

    async issuanceRequest(id) {
      const row = await prisma.certificate.findUnique({
        where: { id },
        include: { person: true, card: { include: { profile: true } } },
      });
      if (row === null) return null;
      const container = containersOf(row.card.profile?.containers).find((one) => one.container === row.container);
      if (container === undefined)
        throw new Error(`the profile of card ${row.cardId} has no container ${row.container}`);
      return {
        requestId: row.requestId,
        csr: row.csr,
        renewal: row.enrolmentId === null,
        profile: container.certificateProfile,
        // ub-common-name, RFC 5280 appendix A.1.
        subject: { commonName: [...row.person.displayName].slice(0, MAX_COMMON_NAME).join('').trim() },
        subjectAltName: {
          userPrincipalName: row.person.userPrincipalName,
          kerberosPrincipal: null,
          email: row.person.email,
          dnsNames: null,
        },
        securityIdentifier: null,
        validitySeconds: container.validitySeconds,
      };
    },

    async proposedBefore(before, limit) {
      const rows = await prisma.certificate.findMany({
        where: { status: 'proposed', createdAt: { lt: before } },
        orderBy: { id: 'asc' },
        take: limit,
        select: { id: true },
      });
      return rows.map((row) => row.id);
    },
  };
}

/** What a card profile says of one key slot. Written by migrations and administrators only. */
interface ProfileContainer {
  readonly container: string;
  readonly certificateProfile: string;
  readonly validitySeconds: number;
}
const containersOf = (json: unknown): readonly ProfileContainer[] => (Array.isArray(json) ? json : []);

/** Prisma asks for bytes on a buffer of their own. */
const own = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => Uint8Array.from(bytes);

function toCertificate(row: Row): Certificate {
  const { id, requestId, cardId, deviceId, personId, enrolmentId, authority, container, csr, createdAt } = row;
  const common = { id, requestId, cardId, deviceId, personId, enrolmentId, authority, container, csr, createdAt };
  const status = row.status as CertificateStatus;
  if (status === 'proposed' || status === 'failed') return { ...common, status };
  return { ...common, ...issuedOf(row), status };
}

function issuedOf(row: Row): Issued {
  const { serialNumber, thumbprint, subject, issuer, notBefore, notAfter, der } = row;
  if (!serialNumber || !thumbprint || subject === null || issuer === null || !notBefore || !notAfter || !der) {
    throw new Error(`certificate ${row.id} is ${row.status} and has no certificate`);
  }
  return { serialNumber, thumbprint, subject, issuer, notBefore, notAfter, der };
}
