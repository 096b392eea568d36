import type { Database } from '../database.pg.ts';
import type { AuthorityName } from './authority.ts';

export type RecordedAuthorities = Readonly<Record<AuthorityName, Buffer>>;

/** @returns the certificates (DER) that count, as the database knows them; null when it knows none. */
export async function recordedAuthorities(database: Database): Promise<RecordedAuthorities | null> {
  const rows = await database.query<{ name: AuthorityName; certificate: Buffer }>(
    'authorities',
    `SELECT name, coalesce(
       (SELECT c.certificate FROM ca.authority_certificates c WHERE c.authority = a.name ORDER BY c.id DESC LIMIT 1),
       a.certificate) AS certificate
     FROM ca.authorities a`,
    [],
  );
  const of = (name: AuthorityName) => rows.find((row) => row.name === name)?.certificate;
  const [root, issuing] = [of('root'), of('issuing')];
  return root === undefined || issuing === undefined ? null : { root, issuing };
}

/** Both in one statement: the database never knows just one of them. */
export async function recordAuthorities(database: Database, { root, issuing }: RecordedAuthorities): Promise<void> {
  await database.query(
    'record-authorities',
    "INSERT INTO ca.authorities (name, certificate) VALUES ('root', $1), ('issuing', $2)",
    [root, issuing],
  );
}

/** A later certificate of the same authority and key: from now on it is the one that counts. */
export async function recordCertificate(database: Database, name: AuthorityName, certificate: Buffer): Promise<void> {
  await database.query(
    'record-authority-certificate',
    'INSERT INTO ca.authority_certificates (authority, certificate) VALUES ($1, $2)',
    [name, certificate],
  );
}
