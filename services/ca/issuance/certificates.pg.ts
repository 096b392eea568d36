import type { Database } from '../database.pg.ts';
import type { CertificateStore, Proposal, StoredCertificate } from './issue.ts';

interface Row {
  readonly serial_number: Buffer;
  readonly request_sha256: Buffer;
  readonly body: Buffer | null;
  readonly certificate: Buffer | null;
  readonly not_before: Date;
  readonly not_after: Date;
  readonly ignored: readonly string[];
}

const COLUMNS = 'serial_number, request_sha256, body, certificate, not_before, not_after, ignored';

export function certificateStore(database: Database): CertificateStore {
  async function find(requestId: string): Promise<StoredCertificate | null> {
    const [row] = await database.query<Row>(
      'find-certificate',
      `SELECT ${COLUMNS} FROM ca.certificates WHERE request_id = $1`,
      [requestId],
    );
    return row === undefined ? null : stored(row);
  }

  return {
    find,

    async propose(proposal: Proposal) {
      const { serialNumber, requestId, requestSha256, issuer, profile, body, notBefore, notAfter, ignored } = proposal;
      const [row] = await database.query<Row>(
        'propose-certificate',
        `INSERT INTO ca.certificates
           (serial_number, request_id, request_sha256, issuer, profile, state, body, not_before, not_after, ignored)
         VALUES ($1, $2, $3, $4, $5, 'proposed', $6, $7, $8, $9)
         ON CONFLICT (request_id) DO NOTHING RETURNING ${COLUMNS}`,
        [serialNumber, requestId, requestSha256, issuer, profile, body, notBefore, notAfter, ignored],
      );
      // Rows are never removed: what stood in the way is there to be read.
      const outcome = row === undefined ? await find(requestId) : stored(row);
      if (outcome === null) throw new Error('a certificate row vanished');
      return outcome;
    },

    async complete(serialNumber, certificate) {
      const [row] = await database.query<Row>(
        'complete-certificate',
        `UPDATE ca.certificates SET state = 'issued', body = NULL, certificate = $2, issued_at = now()
         WHERE serial_number = $1 AND state = 'proposed' RETURNING ${COLUMNS}`,
        [serialNumber, certificate],
      );
      if (row !== undefined) return stored(row);
      const [first] = await database.query<Row>(
        'certificate-by-serial',
        `SELECT ${COLUMNS} FROM ca.certificates WHERE serial_number = $1`,
        [serialNumber],
      );
      if (first === undefined) throw new Error('a proposed certificate vanished');
      return stored(first);
    },
  };
}

function stored(row: Row): StoredCertificate {
  const common = {
    serialNumber: row.serial_number,
    requestSha256: row.request_sha256,
    notBefore: row.not_before,
    notAfter: row.not_after,
    ignored: row.ignored,
  };
  if (row.certificate !== null) return { ...common, state: 'issued', certificate: row.certificate };
  if (row.body !== null) return { ...common, state: 'proposed', body: row.body };
  throw new Error('a certificate row with neither body nor certificate');
}
