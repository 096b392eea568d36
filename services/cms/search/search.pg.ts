import type pg from 'pg';
import { beginningWith, containing } from '../platform/query.pg.ts';
import type { SearchHit, SearchIndex } from './hit.ts';

/** Exact beginnings first, then by name: a card's serial typed whole stands above a person who is named alike. */
const PEOPLE = (
  text: string,
) => `SELECT 'person' AS kind, id::text, display_name AS title, user_principal_name AS subtitle, NULL AS state
  FROM people WHERE lower(display_name || ' ' || user_principal_name) LIKE ${containing(text)}
  ORDER BY lower(display_name) LIKE ${beginningWith(text)} DESC, user_principal_name LIKE ${beginningWith(text)} DESC, display_name, id`;

const CARDS = (text: string) => `SELECT 'card' AS kind, c.id::text, c.serial AS title,
    p.display_name || coalesce(' on ' || d.host_name, '') AS subtitle, c.state
  FROM cards c JOIN people p ON p.id = c.person_id LEFT JOIN devices d ON d.id = c.device_id
  WHERE lower(c.serial) LIKE ${containing(text)} ORDER BY c.id DESC`;

const DEVICES = (
  text: string,
) => `SELECT 'device' AS kind, id::text, host_name AS title, platform AS subtitle, NULL AS state
  FROM devices WHERE lower(host_name) LIKE ${containing(text)} ORDER BY lower(host_name) LIKE ${beginningWith(text)} DESC, host_name, id`;

/** Certificates are found by the beginning of their serial number or thumbprint, with or without colons and spaces. */
function certificates(text: string): string | null {
  const hex = text.toLowerCase().replace(/[\s:]/g, '');
  if (!/^[0-9a-f]{4,64}$/.test(hex)) return null;
  return `SELECT 'certificate' AS kind, z.id::text, coalesce(z.subject, z.container) AS title,
      'Serial number ' || z.serial_number AS subtitle,
      CASE WHEN z.status = 'active' AND z.not_after < now() THEN 'expired' ELSE z.status END AS state
    FROM certificates z WHERE z.serial_number LIKE ${beginningWith(hex)} OR z.thumbprint LIKE ${beginningWith(hex)} ORDER BY z.id DESC`;
}

export function createSearchIndex(pool: pg.Pool): SearchIndex {
  const statements: Record<SearchHit['kind'], (text: string) => string | null> = {
    person: PEOPLE,
    card: CARDS,
    device: DEVICES,
    certificate: certificates,
  };
  return {
    async find(text, kinds, limitEach) {
      const wanted = kinds.flatMap((kind) => statements[kind](text) ?? []);
      const found = await Promise.all(wanted.map((sql) => pool.query<SearchHit>(`${sql} LIMIT ${limitEach}`)));
      return found.flatMap((one) => one.rows);
    },
  };
}
