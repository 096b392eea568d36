import { Batch } from '@cardwright/link';
import pg from 'pg';
import { AUDIT_COLUMNS, auditValues } from '../audit/index.ts';
import type { Intent } from '../kernel/actor.ts';
import { aboutSession } from './open-session.ts';
import type { Answering, AnswerRecords, FinishOutcome, SessionWithCard } from './ports.ts';
import { type CardRow, type SessionRow, toSession, toUnblockCard } from './row.ts';

type Row = SessionRow & Omit<CardRow, 'state'> & { readonly cardState: string };

/*
 * The hot path: a service desk on a Monday morning. Each step is one named statement for all the sessions that are at
 * that step now: they share its round trip and its commit. A session and its audit event change in the same statement.
 * The rows travel as one JSON parameter: the number of them does not change the statement.
 */
const FIND = `SELECT s.id, s.card_id AS "cardId", s.origin, s.state, s.confirmation_code AS "confirmationCode", s.challenge,
  s.verification, s.reason, s.ticket, s.opened_by_id AS "openedById", s.opened_by_name AS "openedByName",
  s.created_at AS "createdAt", s.expires_at AS "expiresAt", s.answered_at AS "answeredAt",
  c.serial, c.person_id AS "personId", c.device_id AS "deviceId", c.kind, c.algorithm, c.challenge_mode AS "challengeMode",
  c.key_version AS "keyVersion", c.take_over_pending AS "takeOverPending", c.key_strategy AS "keyStrategy", c.has_puk AS "hasPuk", c.nv_index AS "nvIndex", c.state AS "cardState"
  FROM unblock_sessions s JOIN cards c ON c.id = s.card_id WHERE s.id = ANY ($1::uuid[])`;

const columns = AUDIT_COLUMNS.map(([column]) => `"${column}"`).join(', ');
/** In the parameter, jsonb columns are text that holds JSON. */
const given = `json_to_recordset($1::json) AS g (n int, digest text, now timestamptz, response text, ${AUDIT_COLUMNS.map(
  ([column, type]) => `"${column}" ${type === 'jsonb' ? 'text' : type}`,
).join(', ')})`;
const selected = AUDIT_COLUMNS.map(([column, type]) => `g."${column}"${type === 'jsonb' ? '::jsonb' : ''}`).join(', ');

/*
 * Written so that PostgreSQL looks each row up by its index whatever it believes of the number of rows: a subquery that
 * can't become a join, and an array of keys. A join would read the whole table once its guess is a little wrong.
 */
const INTEND = `WITH fresh AS MATERIALIZED (SELECT g.* FROM ${given} WHERE (
    SELECT count(*) FROM unblock_sessions u WHERE u.card_id = g.card_id AND u.challenge_hash = decode(g.digest, 'hex')) = 0),
  logged AS (INSERT INTO audit_events (${columns}) SELECT ${selected} FROM fresh g)
  SELECT n FROM fresh`;

/** Of several for one session at once the first counts, in this statement or in another: the row is open once. */
const FINISH = `WITH g AS MATERIALIZED (SELECT * FROM ${given}),
  finished AS (UPDATE unblock_sessions s
    SET state = 'answered', challenge_hash = decode(g.digest, 'hex'), answered_at = g.now, response = g.response, version = version + 1
    FROM g WHERE s.id = ANY (ARRAY (SELECT unblock_session_id FROM g)) AND s.id = g.unblock_session_id
      AND s.state = 'open' AND s.expires_at > g.now RETURNING g.n),
  logged AS (INSERT INTO audit_events (${columns}) SELECT ${selected} FROM g JOIN finished USING (n))
  SELECT n FROM finished`;

const UNIQUE_VIOLATION = '23505';
const DEADLOCK = '40P01';
const LIMITS = { maxSize: 64, maxUnderWay: 1 };
const codeOf = (error: unknown) => (error instanceof pg.DatabaseError ? error.code : undefined);

export function createAnswerRecords(pool: pg.Pool): AnswerRecords {
  const find = new Batch<string, Row | undefined>(async (ids) => {
    const { rows } = await pool.query<Row>({ name: 'unblock-find', text: FIND, values: [[...new Set(ids)]] });
    const byId = new Map(rows.map((row) => [row.id, row]));
    return ids.map((id) => byId.get(id));
  }, LIMITS);

  async function done(name: string, text: string, all: readonly Step[]): Promise<boolean[]> {
    const values = [JSON.stringify(all.map((one, n) => ({ n, ...one })))];
    const { rows } = await pool.query<{ n: number }>({ name, text, values });
    const numbers = new Set(rows.map(({ n }) => n));
    return all.map((_, n) => numbers.has(n));
  }
  const intend = new Batch<Step, boolean>((all) => done('unblock-intend', INTEND, all), LIMITS);
  const finish = new Batch<Step, boolean>((all) => done('unblock-finish', FINISH, all), {
    ...LIMITS,
    // One challenge in two sessions of a card; or two processes that took the same rows in another order.
    askEachAlone: (error) => codeOf(error) === UNIQUE_VIOLATION || codeOf(error) === DEADLOCK,
  });

  return {
    async find(id): Promise<SessionWithCard | null> {
      const row = await find.ask(id);
      if (row === undefined) return null;
      return { session: toSession(row), card: toUnblockCard(row.cardId, { ...row, state: row.cardState }) };
    },

    intend: (intent, answering) => intend.ask(step(intent, answering, 'unblock.answer-requested', 'open')),

    async finish(intent, answering, response, now): Promise<FinishOutcome> {
      try {
        const answered = step(intent, answering, 'unblock.answered', 'answered');
        return (await finish.ask({ ...answered, response, now: now.toISOString() })) ? 'answered' : 'not-open';
      } catch (error) {
        if (codeOf(error) === UNIQUE_VIOLATION) return 'challenge-already-answered';
        throw error;
      }
    },
  };
}

/** One row of the parameter: what the statement needs, and the audit event under its columns' names. */
type Step = Readonly<Record<string, string | null>>;

function step(intent: Intent, { session, card, challengeHash }: Answering, action: string, state: string): Step {
  const digest = Buffer.from(challengeHash).toString('hex');
  const values = auditValues(intent, {
    action,
    object: { kind: 'unblock-session', id: session.id },
    about: aboutSession(session.id, card),
    verification: session.verification,
    after: { state, challengeDigest: digest },
  });
  return { digest, ...Object.fromEntries(AUDIT_COLUMNS.map(([column], at) => [column, values[at] ?? null])) };
}
