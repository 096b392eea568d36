import { Batch } from '@cardwright/link';
import { isDomainError } from '@cardwright/protocol';
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
const SERIAL_BYTES = 16;
const HASH_BYTES = 32;

/**
 * Rows that come together are written by one statement with one commit. A failure that may be of one of them is told
 * apart by writing each alone; an outage is everybody's.
 */
const TOGETHER = {
  maxSize: 128,
  maxUnderWay: 1,
  askEachAlone: (error: unknown) => !isDomainError(error),
};

export function certificateStore(database: Database): CertificateStore {
  const proposals = new Batch((all: readonly Proposal[]) => insert(database, all), TOGETHER);
  const completions = new Batch((all: readonly Completion[]) => update(database, all), TOGETHER);

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
      if (await proposals.ask(proposal)) return { ...proposal, state: 'proposed' };
      // Rows are never removed: what stood in the way is there to be read.
      const outcome = await find(proposal.requestId);
      if (outcome === null) throw new Error('a certificate row vanished, or a serial number came twice');
      return outcome;
    },

    async complete(serialNumber, certificate) {
      if (await completions.ask({ serialNumber, certificate })) return certificate;
      const [first] = await database.query<Row>(
        'certificate-by-serial',
        `SELECT ${COLUMNS} FROM ca.certificates WHERE serial_number = $1`,
        [serialNumber],
      );
      if (first?.certificate == null) throw new Error('a proposed certificate vanished');
      return first.certificate;
    },
  };
}

/** Bytes of all rows go as one parameter, in binary, and are cut up there: an array of them would go as text. */
async function insert(database: Database, proposals: readonly Proposal[]): Promise<boolean[]> {
  const bytes = proposals.flatMap(({ serialNumber, requestSha256, body }) => [serialNumber, requestSha256, body]);
  const rows = await database.query<{ serial: string }>(
    'propose-certificates',
    `INSERT INTO ca.certificates
       (serial_number, request_id, request_sha256, issuer, profile, state, body, not_before, not_after, ignored)
     SELECT substring($1::bytea FROM at FOR ${SERIAL_BYTES}), request_id,
       substring($1::bytea FROM at + ${SERIAL_BYTES} FOR ${HASH_BYTES}), issuer, profile, 'proposed',
       substring($1::bytea FROM at + ${SERIAL_BYTES + HASH_BYTES} FOR length),
       to_timestamp(not_before), to_timestamp(not_after), string_to_array(ignored, E'\\n')
     FROM unnest($2::int[], $3::int[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::text[])
       AS given (at, length, request_id, issuer, profile, not_before, not_after, ignored)
     ON CONFLICT DO NOTHING RETURNING encode(serial_number, 'hex') AS serial`,
    [
      Buffer.concat(bytes),
      offsets(proposals.map(({ body }) => SERIAL_BYTES + HASH_BYTES + body.length)),
      proposals.map(({ body }) => body.length),
      proposals.map(({ requestId }) => requestId),
      proposals.map(({ issuer }) => issuer),
      proposals.map(({ profile }) => profile),
      proposals.map(({ notBefore }) => notBefore.getTime() / 1000),
      proposals.map(({ notAfter }) => notAfter.getTime() / 1000),
      proposals.map(({ ignored }) => ignored.join('\n')),
    ],
  );
  const done = new Set(rows.map(({ serial }) => serial));
  return proposals.map(({ serialNumber }) => done.has(serialNumber.toString('hex')));
}

interface Completion {
  readonly serialNumber: Buffer;
  readonly certificate: Buffer;
}

async function update(database: Database, asked: readonly Completion[]): Promise<boolean[]> {
  // Of two for one serial number the first goes; the other reads it afterwards.
  const bySerial = new Map<string, Completion>();
  for (const one of asked) {
    const serial = one.serialNumber.toString('hex');
    if (!bySerial.has(serial)) bySerial.set(serial, one);
  }
  const completions = [...bySerial.values()];
  const rows = await database.query<{ serial: string }>(
    'complete-certificates',
    `UPDATE ca.certificates SET state = 'issued', body = NULL, issued_at = now(),
       certificate = substring($1::bytea FROM given.at + ${SERIAL_BYTES} FOR given.length)
     FROM unnest($2::int[], $3::int[]) AS given (at, length)
     WHERE serial_number = substring($1::bytea FROM given.at FOR ${SERIAL_BYTES}) AND state = 'proposed'
     RETURNING encode(serial_number, 'hex') AS serial`,
    [
      Buffer.concat(completions.flatMap(({ serialNumber, certificate }) => [serialNumber, certificate])),
      offsets(completions.map(({ certificate }) => SERIAL_BYTES + certificate.length)),
      completions.map(({ certificate }) => certificate.length),
    ],
  );
  const done = new Set(rows.map(({ serial }) => serial));
  return asked.map((one) => {
    const serial = one.serialNumber.toString('hex');
    return done.has(serial) && bySerial.get(serial) === one;
  });
}

/** Where each begins, counted from 1 as SQL does. */
function offsets(lengths: readonly number[]): number[] {
  let at = 1;
  return lengths.map((length) => {
    const start = at;
    at += length;
    return start;
  });
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
