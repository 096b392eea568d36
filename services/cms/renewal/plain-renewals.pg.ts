import { Batch } from '@cardwright/link';
import pg from 'pg';
import { AUDIT_COLUMNS, auditValues } from '../audit/index.ts';
import type { PlainFacts, PlainRenewals, ProposedRenewal, RecordedRenewal } from './plain-ports.ts';

/*
 * The hot path: a fleet whose certificates come of age. Each step is one named statement for all the renewals that are at that
 * step now: they share its round trip and its commit. A record and its audit event are written in the same statement. The rows
 * travel as one JSON parameter, and each is looked up by its index, whatever PostgreSQL believes of their number.
 */
const columns = AUDIT_COLUMNS.map(([column]) => `"${column}"`).join(', ');
/** In the parameter, jsonb columns are text that holds JSON. */
const given = (more: string) =>
  `json_to_recordset($1::json) AS g (n int, ${more}, ${AUDIT_COLUMNS.map(
    ([column, type]) => `"${column}" ${type === 'jsonb' ? 'text' : type}`,
  ).join(', ')})`;
const selected = AUDIT_COLUMNS.map(([column, type]) => `g."${column}"${type === 'jsonb' ? '::jsonb' : ''}`).join(', ');

/** In force or to come, on the card and in the container, but for the old one. */
const OTHERS = (card: string, container: string, old: string) => `(SELECT count(*) FROM certificates x
  WHERE x.card_id = ${card} AND x.container = ${container} AND x.status IN ('proposed', 'active', 'on-hold') AND x.id <> ${old}
    AND NOT EXISTS (SELECT 1 FROM revocations r WHERE r.certificate_id = x.id))`;
const RECENT = (card: string, container: string, since: string) => `(SELECT count(*) FROM certificates x
  WHERE x.card_id = ${card} AND x.container = ${container} AND x.created_at >= ${since})`;

const READ = `SELECT g.n, f.* FROM json_to_recordset($1::json) AS g (n int, card uuid, device uuid, container text, old uuid, now timestamptz)
  CROSS JOIN LATERAL (SELECT k.version AS "cardVersion", k.person_id AS "personId", f.attestation AS "cardAttestation",
    o.csr, o.public_key_hash AS "publicKeyHash", o.not_before AS "notBefore", o.not_after AS "notAfter", o.assurance,
    o.renewal_requested_at AS "requestedAt",
    (SELECT coalesce(min(e.created_at), o.created_at) FROM certificates e WHERE e.public_key_hash = o.public_key_hash) AS "keySince",
    t.container, (SELECT max(version) FROM certificate_profiles q WHERE q.name = t.container->>'certificateProfile') AS "profileVersion",
    json_build_object('displayName', p.display_name, 'userPrincipalName', p.user_principal_name, 'email', p.email,
      'organization', p.organization, 'securityIdentifier', p.security_identifier, 'kerberosPrincipal', p.kerberos_principal) AS person,
    d.host_name AS "hostName",
    ${OTHERS('g.card', 'g.container', 'g.old')}::int AS others,
    ${RECENT('g.card', 'g.container', "g.now - interval '1 day'")}::int AS recent
    FROM cards k JOIN certificates o ON o.id = g.old AND o.card_id = k.id JOIN people p ON p.id = k.person_id
    JOIN devices d ON d.id = k.device_id JOIN card_profiles f ON f.name = k.profile_name
    CROSS JOIN LATERAL (SELECT one AS container FROM jsonb_array_elements(f.containers) AS one WHERE one->>'container' = g.container LIMIT 1) t
    WHERE k.id = g.card AND k.device_id = g.device AND k.kind = 'tpm' AND k.state IN ('active', 'blocked')
      AND o.device_id = g.device AND o.person_id = k.person_id AND o.container = g.container AND o.status = 'active'
      AND o.not_after > g.now AND NOT EXISTS (SELECT 1 FROM revocations r WHERE r.certificate_id = o.id)
    LIMIT 1) f`;

/**
 * A card's version is raised with each renewal, here and by the other way: of two at once for one card the later finds another
 * version than it read, and has to look again.
 */
const PROPOSE = `WITH g AS MATERIALIZED (SELECT * FROM ${given(`request text, container text, old uuid, card_version int, now timestamptz,
    profile text, profile_version int, authority text, assurance text, csr text, csr_hash text, key_hash text, ordered json`)}),
  held AS (UPDATE cards k SET version = k.version + 1 FROM g WHERE k.id = ANY (ARRAY (SELECT card_id FROM g)) AND k.id = g.card_id
    AND k.version = g.card_version AND k.device_id = g.device_id AND k.state IN ('active', 'blocked') RETURNING g.n),
  fresh AS MATERIALIZED (SELECT g.* FROM g JOIN held USING (n) WHERE ${OTHERS('g.card_id', 'g.container', 'g.old')} = 0
    AND ${RECENT('g.card_id', 'g.container', "g.now - interval '1 day'")} < $2
    AND (SELECT count(*) FROM certificates o WHERE o.id = g.old AND o.status = 'active' AND o.not_after > g.now
      AND NOT EXISTS (SELECT 1 FROM revocations r WHERE r.certificate_id = o.id)) = 1),
  made AS (INSERT INTO certificates (id, request_id, card_id, device_id, person_id, container, status, authority, assurance,
      certificate_profile, certificate_profile_version, csr, csr_hash, public_key_hash, ordered, created_at)
    SELECT certificate_id, request, card_id, device_id, person_id, container, 'proposed', authority, assurance, profile,
      profile_version, decode(csr, 'hex'), decode(csr_hash, 'hex'), decode(key_hash, 'hex'), ordered::jsonb, now FROM fresh),
  logged AS (INSERT INTO audit_events (${columns}) SELECT ${selected} FROM fresh g)
  SELECT n FROM fresh`;

const RECORD = `WITH g AS MATERIALIZED (SELECT * FROM ${given(`serial text, print text, issued_to text, issued_by text, starts timestamptz,
    ends timestamptz, der text, wishes json`)}),
  done AS (UPDATE certificates c SET status = 'active', serial_number = g.serial, thumbprint = g.print, subject = g.issued_to,
      issuer = g.issued_by, not_before = g.starts, not_after = g.ends, der = decode(g.der, 'hex'), ignored_request = g.wishes::jsonb,
      version = c.version + 1
    FROM g WHERE c.id = ANY (ARRAY (SELECT certificate_id FROM g)) AND c.id = g.certificate_id AND c.status = 'proposed' RETURNING g.n),
  logged AS (INSERT INTO audit_events (${columns}) SELECT ${selected} FROM g JOIN done USING (n))
  SELECT g.n FROM g JOIN done USING (n)
  WHERE (SELECT count(*) FROM revocations r WHERE r.certificate_id = g.certificate_id) = 0`;

const LIMITS = { maxSize: 64, maxUnderWay: 1 };
const DEADLOCK = '40P01';
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

type ReadRow = PlainFacts & { readonly n: number };
type Asked = Parameters<PlainRenewals['read']>[0];

export function createPlainRenewals(pool: pg.Pool, mostADay: number): PlainRenewals {
  const read = new Batch<Asked, PlainFacts | null>(async (all) => {
    const asked = JSON.stringify(all.map((one, n) => ({ n, ...one })));
    const { rows } = await pool.query<ReadRow>({ name: 'renewal-read', text: READ, values: [asked] });
    const found = new Map(rows.map(({ n, ...facts }) => [n, facts]));
    return all.map((_, n) => found.get(n) ?? null);
  }, LIMITS);

  /** Which of them were done. Of a deadlock with another process nobody was: the other way is left to each of them. */
  async function done(
    name: string,
    text: string,
    steps: readonly object[],
    more: readonly unknown[],
  ): Promise<boolean[]> {
    try {
      const values = [JSON.stringify(steps.map((step, n) => ({ n, ...step }))), ...more];
      const { rows } = await pool.query<{ n: number }>({ name, text, values });
      const numbers = new Set(rows.map(({ n }) => n));
      return steps.map((_, n) => numbers.has(n));
    } catch (error) {
      if (error instanceof pg.DatabaseError && error.code === DEADLOCK) return steps.map(() => false);
      throw error;
    }
  }
  const proposals = new Batch<object, boolean>((all) => done('renewal-propose', PROPOSE, all, [mostADay]), LIMITS);
  const records = new Batch<object, boolean>((all) => done('renewal-record', RECORD, all, []), LIMITS);

  return {
    read: (asked) => read.ask(asked),
    propose: ({ csr, csrHash, publicKeyHash, intent, entry, ...step }: ProposedRenewal) =>
      proposals.ask({
        ...auditOf(auditValues(intent, entry)),
        ...step,
        ...{ csr: hex(csr), csr_hash: hex(csrHash), key_hash: hex(publicKeyHash) },
      }),
    record: ({ issued, ignored, intent, entry }: RecordedRenewal) =>
      records.ask({
        ...auditOf(auditValues(intent, entry)),
        ...{
          serial: issued.serialNumber,
          print: issued.thumbprint,
          issued_to: issued.subject,
          issued_by: issued.issuer,
        },
        ...{ starts: issued.notBefore, ends: issued.notAfter, der: hex(issued.der) },
        wishes: ignored.length === 0 ? null : ignored,
      }),
  };
}

const auditOf = (values: readonly (string | null)[]): Record<string, string | null> =>
  Object.fromEntries(AUDIT_COLUMNS.map(([column], at) => [column, values[at] ?? null]));
