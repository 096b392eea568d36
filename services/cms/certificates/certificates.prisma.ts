import type { CertificateOrder, ContainerRule, PersonNames } from '../certificate-profiles/index.ts';
import type { Prisma, PrismaClient, Certificate as Row } from '../platform/generated/client.ts';
import { clientOf } from '../platform/unit-of-work.prisma.ts';
import type { Assurance } from './assurance.ts';
import type { Certificate, CertificateStatus, Issued } from './certificate.ts';
import type { CertificateRecords } from './ports.ts';

export function createCertificateRecords(prisma: PrismaClient): CertificateRecords {
  return {
    async insert(tx, certificate) {
      await clientOf(tx).certificate.create({
        data: {
          ...certificate,
          csr: own(certificate.csr),
          csrHash: own(certificate.csrHash),
          publicKeyHash: own(certificate.publicKeyHash),
          ordered: asJson(certificate.ordered),
          status: 'proposed',
        },
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

    async setAssurance(tx, id, assurance) {
      await clientOf(tx).certificate.update({ where: { id }, data: { assurance } });
    },

    async setStatus(tx, id, status) {
      await clientOf(tx).certificate.update({ where: { id }, data: { status, version: { increment: 1 } } });
    },

    async setIssued(tx, id, issued, ignored) {
      const wishes = ignored.length === 0 ? {} : { ignoredRequest: [...ignored] };
      const data = { ...issued, ...wishes, der: own(issued.der), status: 'active', version: { increment: 1 } };
      await clientOf(tx).certificate.update({ where: { id }, data });
    },

    async setOrdered(tx, id, { ordered, ...more }) {
      const data = { ...more, ordered: asJson(ordered), version: { increment: 1 } };
      await clientOf(tx).certificate.update({ where: { id }, data });
    },

    async orderFacts(tx, { cardId, deviceId, container }) {
      // One statement in place of Prisma's five: it stands in the way of every certificate.
      const [row] = await clientOf(tx).$queryRaw<FactsRow[]>`
        SELECT p.display_name AS "displayName", p.user_principal_name AS "userPrincipalName", p.email, p.organization,
          p.security_identifier AS "securityIdentifier", p.kerberos_principal AS "kerberosPrincipal",
          d.host_name AS "hostName", f.containers
        FROM cards c JOIN people p ON p.id = c.person_id JOIN devices d ON d.id = ${deviceId}::uuid
        LEFT JOIN card_profiles f ON f.name = c.profile_name WHERE c.id = ${cardId}::uuid`;
      if (row === undefined) throw new Error(`there is no card ${cardId} or no device ${deviceId}`);
      const { hostName, containers, ...person } = row;
      return { person, hostName, container: containers?.find((one) => one.container === container) ?? null };
    },

    async issuanceRequest(id) {
      const row = await prisma.certificate.findUnique({
        where: { id },
        select: { requestId: true, csr: true, enrolmentId: true, ordered: true },
      });
      if (row === null || row.ordered === null) return null;
      const ordered = row.ordered as unknown as CertificateOrder;
      const { kind, commonName, organization, userPrincipalName, kerberosPrincipal, email, dnsNames } = ordered;
      return {
        requestId: row.requestId,
        csr: row.csr,
        renewal: row.enrolmentId === null,
        profile: kind,
        subject: { commonName, ...(organization === null ? {} : { organization }) },
        subjectAltName: { userPrincipalName, kerberosPrincipal, email, dnsNames },
        securityIdentifier: ordered.securityIdentifier,
        validitySeconds: ordered.validitySeconds,
      };
    },

    async proposedBefore(before, authority, limit) {
      const rows = await prisma.certificate.findMany({
        where: { status: 'proposed', authority, createdAt: { lt: before } },
        orderBy: { id: 'asc' },
        take: limit,
        select: { id: true },
      });
      return rows.map((row) => row.id);
    },
  };
}

type FactsRow = PersonNames & { readonly hostName: string; readonly containers: readonly ContainerRule[] | null };

/** Plain JSON of what holds only texts, numbers, lists and null. */
const asJson = (ordered: CertificateOrder): Prisma.InputJsonObject => ({
  ...ordered,
  dnsNames: ordered.dnsNames?.slice() ?? null,
});

/** Prisma asks for bytes on a buffer of their own. */
const own = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => Uint8Array.from(bytes);

function toCertificate(row: Row): Certificate {
  const { id, requestId, cardId, deviceId, personId, enrolmentId, authority, container, csr, createdAt } = row;
  // The check of the database holds the set.
  const assurance = row.assurance as Assurance;
  const common = {
    ...{ id, requestId, cardId, deviceId, personId, enrolmentId, authority, container, assurance, csr, createdAt },
  };
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
