import type pg from 'pg';
import { Where } from '../platform/query.pg.ts';
import type { CardView } from './card.ts';
import type { CardViews } from './ports.ts';
import { type CardRow, toCard } from './row.ts';

type Row = Omit<CardRow, 'nvIndex'> &
  Pick<
    CardView,
    'person' | 'device' | 'keyChangeOpen' | 'initialPinPending' | 'reissue' | 'replaces' | 'replacedBy'
  > & {
    readonly nvIndex: string | null;
  };

const SELECT = `SELECT c.id, c.serial, c.person_id AS "personId", c.device_id AS "deviceId", c.profile_name AS "profileName",
    c.kind, c.algorithm, c.challenge_mode AS "challengeMode", c.key_strategy AS "keyStrategy", c.key_version AS "keyVersion",
    c.key_set_at AS "keySetAt", c.take_over_pending AS "takeOverPending",
    EXISTS (SELECT 1 FROM key_changes k WHERE k.card_id = c.id AND (k.state IN ('requested', 'offered')
      OR (k.state = 'failed' AND k.reported_at IS NOT NULL))) AS "keyChangeOpen",
    EXISTS (SELECT 1 FROM enrolments e WHERE e.card_id = c.id AND e.state = 'completed' AND e.hand_over = 'pending')
      AS "initialPinPending",
    COALESCE((SELECT CASE e.state WHEN 'completed' THEN 'completed' ELSE 'open' END FROM enrolments e
      WHERE e.replaces_card_id = c.id AND (e.state IN ('claimed', 'completed') OR (e.state = 'open' AND e.expires_at > now()))
      ), 'none') AS reissue,
    (SELECT json_build_object('id', o.id, 'serial', o.serial) FROM enrolments e JOIN cards o ON o.id = e.replaces_card_id
      WHERE e.card_id = c.id AND e.state = 'completed') AS replaces,
    (SELECT json_build_object('id', n.id, 'serial', n.serial) FROM enrolments e JOIN cards n ON n.id = e.card_id
      WHERE e.replaces_card_id = c.id AND e.state = 'completed') AS "replacedBy",
    c.named_key AS "namedKey", c.has_puk AS "hasPuk", c.puk_shown_at AS "pukShownAt",
    c.state, c.nv_index AS "nvIndex", c.pin_limit AS "pinLimit", c.tries_left AS "triesLeft", c.created_at AS "createdAt",
    c.state_changed_at AS "stateChangedAt",
    json_build_object('id', p.id, 'displayName', p.display_name, 'userPrincipalName', p.user_principal_name) AS person,
    CASE WHEN d.id IS NULL THEN NULL ELSE json_build_object('id', d.id, 'hostName', d.host_name) END AS device
  FROM cards c JOIN people p ON p.id = c.person_id LEFT JOIN devices d ON d.id = c.device_id`;

export function createCardViews(pool: pg.Pool): CardViews {
  return {
    async find(cardId) {
      const { rows } = await pool.query<Row>({
        name: 'card-find',
        text: `${SELECT} WHERE c.id = $1`,
        values: [cardId],
      });
      return rows[0] === undefined ? null : toView(rows[0]);
    },
    async list({ q, personId, deviceId, state, keyStrategy, namedKey }, after, limit) {
      const where = new Where()
        .contains('lower(c.serial)', q)
        .and(personId, (p) => `c.person_id = ${p}::uuid`)
        .and(deviceId, (p) => `c.device_id = ${p}::uuid`)
        .and(state, (p) => `c.state = ${p}`)
        .and(keyStrategy, (p) => `c.key_strategy = ${p}`)
        .and(namedKey, (p) => `c.named_key = ${p}`)
        .and(after, (p) => `c.id < ${p}::uuid`);
      const { rows } = await pool.query<Row>(`${SELECT} ${where} ORDER BY c.id DESC LIMIT ${limit}`, where.values);
      return rows.map(toView);
    },
  };
}

function toView(row: Row): CardView {
  const card = toCard({ ...row, nvIndex: row.nvIndex === null ? null : Number(row.nvIndex) });
  const { person, device, keyChangeOpen, initialPinPending, reissue, replaces, replacedBy } = row;
  return { ...card, person, device, keyChangeOpen, initialPinPending, reissue, replaces, replacedBy };
}
