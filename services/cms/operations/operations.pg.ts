import type pg from 'pg';
import { clientOf } from '../platform/unit-of-work.prisma.ts';
import { type Counts, ITEM_STATES, type Operation } from './operation.ts';
import type { OperationItem, OperationRecords } from './ports.ts';

const COLUMNS = `id, kind, state, input, counts, reason, ticket, requested_by_id, requested_by_name, requested_by_role,
  request_id, created_at, expires_at, started_at, finished_at`;

/** `added` are counted beside their states. */
const COUNT = `UPDATE operations SET counts = counted.counts FROM (
    SELECT json_build_object(${ITEM_STATES.map((state) => `'${state}', count(*) FILTER (WHERE state = '${state}')`).join(', ')},
      'added', count(*) FILTER (WHERE added AND state <> 'skipped')) AS counts
    FROM operation_items WHERE operation_id = $1
  ) AS counted WHERE id = $1 RETURNING operations.counts`;

const ITEMS = `SELECT i.position, i.state, i.code, i.added, i.line, CASE WHEN c.id IS NULL THEN NULL ELSE json_build_object(
      'id', c.id, 'serialNumber', c.serial_number, 'subject', c.subject, 'status', c.status, 'cardId', c.card_id,
      'personId', c.person_id, 'authority', c.authority) END AS certificate
  FROM operation_items i LEFT JOIN certificates c ON c.id = i.object_id
  WHERE i.operation_id = $1 AND ($2::text IS NULL OR i.state = $2) AND i.position > $3 ORDER BY i.position LIMIT $4`;

export async function countItems(client: Pick<pg.Pool, 'query'>, id: string): Promise<Counts> {
  const { rows } = await client.query<{ counts: Counts }>(COUNT, [id]);
  if (rows[0] === undefined) throw new Error(`there is no operation ${id}`);
  return rows[0].counts;
}

export function createOperationRecords(pool: pg.Pool): OperationRecords {
  return {
    async find(id) {
      const { rows } = await pool.query<Row>(`SELECT ${COLUMNS} FROM operations WHERE id = $1`, [id]);
      return rows[0] === undefined ? null : toOperation(rows[0]);
    },

    async list({ state }, after, limit) {
      const { rows } = await pool.query<Row>(
        `SELECT ${COLUMNS} FROM operations WHERE ($1::text IS NULL OR state = $1) AND ($2::uuid IS NULL OR id < $2)
         ORDER BY id DESC LIMIT $3`,
        [state ?? null, after, limit],
      );
      return rows.map(toOperation);
    },

    async items(id, state, after, limit) {
      return (await pool.query<OperationItem>(ITEMS, [id, state ?? null, after ?? 0, limit])).rows;
    },

    async running(limit) {
      const { rows } = await pool.query<{ id: string }>(
        `SELECT id FROM operations WHERE state = 'running' ORDER BY id LIMIT $1`,
        [limit],
      );
      return rows.map(({ id }) => id);
    },

    async lock(tx, id) {
      const rows = await clientOf(tx).$queryRawUnsafe<Row[]>(
        `SELECT ${COLUMNS} FROM operations WHERE id = $1::uuid FOR UPDATE`,
        id,
      );
      return rows[0] === undefined ? null : toOperation(rows[0]);
    },

    async start(tx, id, { requestedBy, requestId }, at) {
      await clientOf(tx).operation.update({
        where: { id },
        data: {
          state: 'running',
          requestedById: requestedBy.id,
          requestedByName: requestedBy.name,
          requestedByRole: requestedBy.role,
          requestId,
          startedAt: at,
        },
      });
    },

    async end(tx, id, state, at) {
      await clientOf(tx).operation.update({ where: { id }, data: { state, finishedAt: at } });
    },

    count: (id) => countItems(pool, id),

    async expire(now) {
      const { rowCount } = await pool.query(
        `WITH old AS (UPDATE operations SET state = 'expired', finished_at = $1
           WHERE state = 'planned' AND expires_at <= $1 RETURNING id)
         DELETE FROM operation_items WHERE operation_id IN (SELECT id FROM old)`,
        [now],
      );
      return rowCount ?? 0;
    },
  };
}

interface Row {
  id: string;
  kind: Operation['kind'];
  state: Operation['state'];
  input: Operation['input'];
  counts: Counts;
  reason: string;
  ticket: string | null;
  requested_by_id: string;
  requested_by_name: string;
  requested_by_role: string;
  request_id: string;
  created_at: Date;
  expires_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
}

function toOperation(row: Row): Operation {
  const { id, kind, state, input, counts, reason, ticket } = row;
  return {
    ...{ id, kind, state, input, counts, reason, ticket },
    requestedBy: { id: row.requested_by_id, name: row.requested_by_name, role: row.requested_by_role },
    requestId: row.request_id,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  };
}
