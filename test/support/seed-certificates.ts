import { randomBytes, randomUUID } from 'node:crypto';
import type { TestSystem } from './system.ts';

export interface Seeded {
  readonly ids: readonly string[];
  /** 32 hexadecimal digits. */
  readonly serials: readonly string[];
  readonly thumbprints: readonly string[];
}

/**
 * Many certificates in an instant: the rows of a real one once more, at cms and at the CA, each with a serial number and
 * ids of its own. (Their DER is still the first one's: for tests of what is done with many, not of what they say.)
 */
export async function seedCertificates(system: TestSystem, like: string, count: number): Promise<Seeded> {
  const made = Array.from({ length: count }, () => {
    const serial = randomBytes(16);
    serial[0] = 0x40 | ((serial[0] ?? 0) & 0x3f); // positive, and no leading zero
    return { id: randomUUID(), serial: serial.toString('hex'), thumbprint: randomBytes(32).toString('hex') };
  }).sort((a, b) => a.id.localeCompare(b.id));
  const ids = made.map(({ id }) => id);
  const serials = made.map(({ serial }) => serial);
  const thumbprints = made.map(({ thumbprint }) => thumbprint);
  await system.query(
    `INSERT INTO ca.certificates SELECT (jsonb_populate_record(o, jsonb_build_object(
         'serial_number', '\\x' || s.serial, 'request_id', s.id))).*
       FROM ca.certificates o, unnest($2::text[], $3::text[]) AS s(id, serial)
       WHERE o.request_id = (SELECT request_id FROM certificates WHERE id = $1)`,
    [like, ids, serials],
  );
  await system.query(
    `INSERT INTO certificates SELECT (jsonb_populate_record(o, jsonb_build_object(
         'id', s.id, 'request_id', s.id, 'serial_number', s.serial, 'thumbprint', s.thumbprint, 'status', 'active'))).*
       FROM certificates o, unnest($2::text[], $3::text[], $4::text[]) AS s(id, serial, thumbprint) WHERE o.id = $1`,
    [like, ids, serials, thumbprints],
  );
  return { ids, serials, thumbprints };
}
