import type pg from 'pg';
import type { ImportDirectory } from './ports.ts';

const LIVE = `('created', 'active', 'blocked', 'suspended')`;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function createImportDirectory(pool: pg.Pool): ImportDirectory {
  return {
    async people(names) {
      const { rows } = await pool.query<{ id: string; name: string }>({
        name: 'import-people',
        text: 'SELECT id, user_principal_name AS name FROM people WHERE user_principal_name = ANY ($1::text[])',
        values: [names],
      });
      return new Map(rows.map(({ id, name }) => [name, id]));
    },
    async devices(names) {
      const { rows } = await pool.query<{ id: string; name: string }>({
        name: 'import-devices',
        text: `SELECT id, lower(host_name) AS name FROM devices
          WHERE lower(host_name) = ANY ($1::text[]) OR id = ANY ($2::uuid[])`,
        values: [names, names.filter((name) => UUID.test(name))],
      });
      const found = new Map<string, string[]>();
      for (const { id, name } of rows) {
        for (const key of [name, id]) found.set(key, [...(found.get(key) ?? []), id]);
      }
      return found;
    },
    async takenSerials(serials) {
      const { rows } = await pool.query<{ serial: string }>({
        name: 'import-serials',
        text: 'SELECT serial FROM cards WHERE serial = ANY ($1::text[])',
        values: [serials],
      });
      return new Set(rows.map(({ serial }) => serial));
    },
    async livePairs(deviceIds) {
      const { rows } = await pool.query<{ pair: string }>({
        name: 'import-live-pairs',
        text: `SELECT person_id || ' ' || device_id AS pair FROM cards
          WHERE device_id = ANY ($1::uuid[]) AND state IN ${LIVE}`,
        values: [deviceIds],
      });
      return new Set(rows.map(({ pair }) => pair));
    },
  };
}
