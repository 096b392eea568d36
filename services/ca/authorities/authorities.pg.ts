import type { Database } from '../database.pg.ts';
import type { AuthorityName } from './authority.ts';

export type RecordedAuthorities = Readonly<Record<AuthorityName, Buffer>>;

/** @returns the certificates (DER) that the database knows; null when it knows none. */
export async function recordedAuthorities(database: Database): Promise<RecordedAuthorities | null> {
  const rows = await database.query<{ name: AuthorityName; certificate: Buffer }>(
    'authorities',
    'SELECT name, certificate FROM ca.authorities',
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
