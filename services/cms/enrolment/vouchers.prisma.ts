import type { PrismaClient } from '../platform/generated/client.ts';
import { clientOf } from '../platform/unit-of-work.prisma.ts';
import type { ProofNonces, Voucher, Vouchers } from './ports.ts';

/** A card signs for the next one, once in years. What is longer is shown from its near end. */
const MAX_DEPTH = 16;
const MAX_SHOWN = 500;

interface Row {
  readonly id: string;
  readonly enrolmentId: string;
  readonly kind: string;
  readonly operatorId: string | null;
  readonly operatorName: string | null;
  readonly method: string;
  readonly evidence: string;
  readonly note: string | null;
  readonly certificateId: string | null;
  readonly createdAt: Date;
}

export function createVouchers(prisma: PrismaClient): Vouchers {
  return {
    async add(tx, { id, enrolmentId, createdAt, ...source }) {
      const data =
        source.kind === 'certificate'
          ? {
              kind: source.kind,
              method: 'existing-certificate',
              evidence: source.evidence,
              certificateId: source.certificateId,
            }
          : {
              kind: source.kind,
              operatorId: source.by.id,
              operatorName: source.by.name,
              method: source.verification.method,
              evidence: source.verification.evidence,
              note: source.verification.note ?? null,
            };
      await clientOf(tx).enrolmentVoucher.create({ data: { id, enrolmentId, createdAt, ...data } });
    },

    async ofEnrolment(tx, enrolmentId) {
      const rows = await clientOf(tx).enrolmentVoucher.findMany({ where: { enrolmentId }, orderBy: { id: 'asc' } });
      return rows.map((row) => toVoucher(row, 0));
    },

    // Through the card, because a renewed certificate has no enrolment of its own, and its card has one.
    async chainOf(enrolmentId) {
      const rows = await prisma.$queryRaw<(Row & { depth: number })[]>`
        WITH RECURSIVE vouched(enrolment_id, depth) AS (
          SELECT ${enrolmentId}::uuid, 0
          UNION
          SELECT e.id, v.depth + 1 FROM vouched v
            JOIN enrolment_vouchers u ON u.enrolment_id = v.enrolment_id
            JOIN certificates c ON c.id = u.certificate_id
            JOIN enrolments e ON e.card_id = c.card_id AND e.state = 'completed'
          WHERE v.depth < ${MAX_DEPTH}
        )
        SELECT u.id, u.enrolment_id AS "enrolmentId", u.kind, u.operator_id AS "operatorId",
          u.operator_name AS "operatorName", u.method, u.evidence, u.note, u.certificate_id AS "certificateId",
          u.created_at AS "createdAt", v.depth
        FROM vouched v JOIN enrolment_vouchers u ON u.enrolment_id = v.enrolment_id
        ORDER BY v.depth, u.id LIMIT ${MAX_SHOWN}`;
      return rows.map(({ depth, ...row }) => toVoucher(row, depth));
    },
  };
}

function toVoucher({ operatorId, operatorName, kind, method, ...row }: Row, depth: number): Voucher {
  const operator = operatorId === null || operatorName === null ? null : { id: operatorId, name: operatorName };
  // The checks of the database hold the sets.
  return { ...row, kind: kind as Voucher['kind'], method: method as Voucher['method'], operator, depth };
}

export function createProofNonces(): ProofNonces {
  return {
    async put(tx, enrolmentId, { nonce, expiresAt }) {
      const data = { nonce: Uint8Array.from(nonce), expiresAt };
      const create = { enrolmentId, ...data };
      await clientOf(tx).enrolmentNonce.upsert({ where: { enrolmentId }, create, update: data });
    },

    async take(tx, enrolmentId) {
      const rows = await clientOf(tx).$queryRaw<{ nonce: Uint8Array; expires_at: Date }[]>`
        DELETE FROM enrolment_nonces WHERE enrolment_id = ${enrolmentId}::uuid RETURNING nonce, expires_at`;
      const [row] = rows;
      return row === undefined ? null : { nonce: new Uint8Array(row.nonce), expiresAt: row.expires_at };
    },
  };
}
