import pg from 'pg';
import { auditInsertSelect, auditValues } from '../audit/index.ts';
import type { Intent } from '../kernel/actor.ts';
import { aboutSession } from './open-session.ts';
import type { Answering, AnswerRecords } from './ports.ts';
import { type CardRow, type SessionRow, toSession, toUnblockCard } from './row.ts';

type Row = SessionRow & Omit<CardRow, 'state'> & { readonly cardState: string };

/**
 * The hot path: a service desk on a Monday morning. Named statements, one round trip each, and each a transaction of
 * its own in which the session and the audit event change together.
 */
const FIND = `SELECT s.id, s.card_id AS "cardId", s.origin, s.state, s.confirmation_code AS "confirmationCode", s.challenge,
  s.verification, s.reason, s.ticket, s.opened_by_id AS "openedById", s.opened_by_name AS "openedByName",
  s.created_at AS "createdAt", s.expires_at AS "expiresAt", s.answered_at AS "answeredAt",
  c.serial, c.person_id AS "personId", c.device_id AS "deviceId", c.kind, c.algorithm, c.challenge_mode AS "challengeMode",
  c.key_version AS "keyVersion", c.nv_index AS "nvIndex", c.state AS "cardState"
  FROM unblock_sessions s JOIN cards c ON c.id = s.card_id WHERE s.id = $1`;

const INTEND = `${auditInsertSelect(3, '')}
  WHERE NOT EXISTS (SELECT 1 FROM unblock_sessions WHERE card_id = $1 AND challenge_hash = $2)`;

/** Of several at once the first one here counts: the others find the session answered, or the challenge taken. */
const FINISH = `WITH finished AS (
  UPDATE unblock_sessions
  SET state = 'answered', challenge_hash = $2, answered_at = $3, response = $4, version = version + 1
  WHERE id = $1 AND state = 'open' AND expires_at > $3 RETURNING id)
  ${auditInsertSelect(5, 'FROM finished')}`;

const UNIQUE_VIOLATION = '23505';

export function createAnswerRecords(pool: pg.Pool): AnswerRecords {
  const event = (intent: Intent, { session, card, challengeHash }: Answering, action: string, state: string) =>
    auditValues(intent, {
      action,
      object: { kind: 'unblock-session', id: session.id },
      about: aboutSession(session.id, card),
      verification: session.verification,
      after: { state, challengeDigest: Buffer.from(challengeHash).toString('hex') },
    });

  return {
    async find(id) {
      const { rows } = await pool.query<Row>({ name: 'unblock-find', text: FIND, values: [id] });
      const row = rows[0];
      if (row === undefined) return null;
      return { session: toSession(row), card: toUnblockCard(row.cardId, { ...row, state: row.cardState }) };
    },

    async intend(intent, answering) {
      const { card, challengeHash } = answering;
      const values = [card.id, challengeHash, ...event(intent, answering, 'unblock.answer-requested', 'open')];
      return (await pool.query({ name: 'unblock-intend', text: INTEND, values })).rowCount === 1;
    },

    async finish(intent, answering, response, now) {
      const { session, challengeHash } = answering;
      const values = [
        session.id,
        challengeHash,
        now,
        response,
        ...event(intent, answering, 'unblock.answered', 'answered'),
      ];
      try {
        const { rowCount } = await pool.query({ name: 'unblock-finish', text: FINISH, values });
        return rowCount === 1 ? 'answered' : 'not-open';
      } catch (error) {
        if (error instanceof pg.DatabaseError && error.code === UNIQUE_VIOLATION) return 'challenge-already-answered';
        throw error;
      }
    },
  };
}
