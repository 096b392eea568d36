import type pg from 'pg';
import { countItems } from '../operations/index.ts';
import { clientOf } from '../platform/unit-of-work.prisma.ts';
import { CRITERIA, inputOf, isList, MAX_CERTIFICATES, type Selection, SKIP_CODES, tooLarge } from './batch.ts';
import type { PlannedItem, RevocationBatches } from './batch-ports.ts';

/** The code that says why nothing is to be done; NULL where something is. `$now` stands for the placeholder. */
const SKIP = (now: string) => `CASE WHEN r.id IS NOT NULL OR c.status = 'revoked' THEN '${SKIP_CODES.revoked}'
  WHEN c.status = 'failed' THEN '${SKIP_CODES.failed}' WHEN c.not_after <= ${now} THEN '${SKIP_CODES.expired}' END`;

const COLUMN: Readonly<Record<(typeof CRITERIA)[number], string>> = {
  cardId: 'c.card_id = ',
  deviceId: 'c.device_id = ',
  personId: 'c.person_id = ',
  certificateProfile: 'c.certificate_profile = ',
  authority: 'c.authority = ',
};

/** Conditions of a selection; its values are added to `values`. */
function conditionsOf(select: Selection, values: unknown[]): string {
  const given = CRITERIA.filter((one) => select[one] !== undefined);
  return given.map((one) => `${COLUMN[one]}$${values.push(select[one])}`).join(' AND ');
}

/**
 * Each line against both indexes. A serial number that two CAs gave names neither, and a certificate that two lines name
 * is taken once. (Serial numbers and thumbprints are in the records as the lines were brought to.)
 */
const FROM_LIST = `WITH lines AS (
    SELECT * FROM unnest($2::int[], $3::text[], $4::text[]) AS l(number, kind, value)
  ), found AS (
    SELECT l.number, l.kind, l.value, min(c.id::text)::uuid AS id, count(c.id) AS hits FROM lines l
      LEFT JOIN certificates c ON c.serial_number = l.value AND l.kind = 'serial-number'
      WHERE l.kind = 'serial-number' GROUP BY l.number, l.kind, l.value
    UNION ALL
    SELECT l.number, l.kind, l.value, c.id, count(c.id) OVER (PARTITION BY l.number) FROM lines l
      LEFT JOIN certificates c ON c.thumbprint = l.value WHERE l.kind = 'thumbprint'
    UNION ALL
    SELECT number, kind, value, NULL, 0 FROM lines WHERE kind = 'malformed'
  ), placed AS (
    SELECT *, row_number() OVER (PARTITION BY id ORDER BY number) AS turn FROM found
  ), judged AS (
    SELECT p.number, p.value, CASE
        WHEN p.kind = 'malformed' THEN 'line-malformed'
        WHEN p.hits = 0 THEN p.kind || '-unknown'
        WHEN p.hits > 1 THEN 'serial-number-ambiguous'
        WHEN p.turn > 1 THEN 'line-repeated'
        ELSE ${SKIP('$5')} END AS code,
      CASE WHEN p.hits = 1 AND p.turn = 1 THEN p.id END AS id
    FROM placed p LEFT JOIN certificates c ON c.id = p.id LEFT JOIN revocations r ON r.certificate_id = p.id
  ) INSERT INTO operation_items (operation_id, position, object_id, line, state, code)
  SELECT $1, number, id, CASE WHEN id IS NULL THEN value END,
    CASE WHEN code IS NULL THEN 'pending' ELSE 'skipped' END, code FROM judged`;

export function createRevocationBatches(pool: pg.Pool): RevocationBatches {
  return {
    async plan(operation, order) {
      const client = await pool.connect();
      let failure: Error | undefined;
      // Lost between two statements: the next one fails. Without a listener the process would end.
      const onLost = (error: Error) => {
        failure = error;
      };
      client.on('error', onLost);
      try {
        await client.query('BEGIN');
        const { id, reason, ticket, requestedBy, requestId, createdAt, expiresAt } = operation;
        await client.query(
          `INSERT INTO operations (id, kind, state, input, counts, reason, ticket, requested_by_id, requested_by_name,
             requested_by_role, request_id, created_at, expires_at)
           VALUES ($1, 'revocation-batch', 'planned', $2, '{}', $3, $4, $5, $6, $7, $8, $9, $10)`,
          [
            ...[id, JSON.stringify(inputOf(order)), reason, ticket, requestedBy.id, requestedBy.name, requestedBy.role],
            ...[requestId, createdAt, expiresAt],
          ],
        );
        const { select } = order;
        if (isList(select)) {
          const column = <Key extends 'number' | 'kind' | 'value'>(key: Key) => select.lines.map((line) => line[key]);
          await client.query(FROM_LIST, [id, column('number'), column('kind'), column('value'), createdAt]);
        } else {
          const values: unknown[] = [id, createdAt];
          const where = conditionsOf(select, values);
          const { rowCount } = await client.query(
            `INSERT INTO operation_items (operation_id, position, object_id, state, code)
             SELECT $1, row_number() OVER (ORDER BY id), id, CASE WHEN code IS NULL THEN 'pending' ELSE 'skipped' END, code
             FROM (SELECT c.id, ${SKIP('$2')} AS code FROM certificates c
               LEFT JOIN revocations r ON r.certificate_id = c.id WHERE ${where} LIMIT ${MAX_CERTIFICATES + 1}) AS found`,
            values,
          );
          if ((rowCount ?? 0) > MAX_CERTIFICATES) throw tooLarge();
        }
        await countItems(client, id);
        await client.query('COMMIT');
      } catch (error) {
        failure = error instanceof Error ? error : new Error('not an Error', { cause: error });
        throw error;
      } finally {
        client.off('error', onLost);
        // One on which something failed is in the midst of a transaction: it is closed, which undoes that.
        client.release(failure);
      }
    },

    async pending(tx, operationId, limit) {
      return clientOf(tx).$queryRaw<PlannedItem[]>`SELECT position, object_id AS "certificateId" FROM operation_items
        WHERE operation_id = ${operationId}::uuid AND state = 'pending' ORDER BY position LIMIT ${limit}`;
    },

    async settle(tx, operationId, outcomes) {
      await clientOf(tx).$executeRawUnsafe(
        `UPDATE operation_items AS i SET state = o.state, code = o.code
         FROM unnest($2::int[], $3::text[], $4::text[]) AS o(position, state, code)
         WHERE i.operation_id = $1::uuid AND i.position = o.position`,
        operationId,
        outcomes.map(({ position }) => position),
        outcomes.map(({ state }) => state),
        outcomes.map(({ code }) => code),
      );
    },

    async reconcile(operationId) {
      await pool.query(
        `UPDATE operation_items AS i SET state = CASE WHEN r.state = 'confirmed' THEN 'done' ELSE 'failed' END,
           code = CASE WHEN r.state = 'confirmed' THEN NULL ELSE r.last_error END
         FROM revocations r WHERE i.operation_id = $1 AND r.certificate_id = i.object_id
           AND (i.state = 'decided' AND (r.state = 'confirmed' OR r.refused)
             OR i.state = 'failed' AND r.state = 'confirmed')`,
        [operationId],
      );
      const { rows } = await pool.query<{ waiting: number }>(
        `SELECT count(*)::int AS waiting FROM operation_items WHERE operation_id = $1 AND state = 'decided'`,
        [operationId],
      );
      return rows[0]?.waiting ?? 0;
    },

    async addNew(operationId, select, now) {
      if ('lines' in select) return 0;
      const values: unknown[] = [operationId, now];
      const where = conditionsOf(select, values);
      const { rowCount } = await pool.query(
        `INSERT INTO operation_items (operation_id, position, object_id, state, added)
         SELECT $1, coalesce((SELECT max(position) FROM operation_items WHERE operation_id = $1), 0)
             + row_number() OVER (ORDER BY c.id), c.id, 'pending', true
         FROM certificates c LEFT JOIN revocations r ON r.certificate_id = c.id
         WHERE ${where} AND ${SKIP('$2')} IS NULL
           AND NOT EXISTS (SELECT 1 FROM operation_items i WHERE i.operation_id = $1 AND i.object_id = c.id)
         ON CONFLICT DO NOTHING`,
        values,
      );
      return rowCount ?? 0;
    },
  };
}
