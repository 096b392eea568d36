import { X509Certificate } from 'node:crypto';
import { DomainError } from '@cardwright/protocol';
import { type Database, openDatabase } from '../../database.pg.ts';
import { recordCertificate, recordedAuthorities } from '../authorities.pg.ts';
import { judgeIssuing, judgeRootCrl } from './judge.ts';
import { currentRootCrl, recordRootCrl } from './root-crls.pg.ts';
import { setting } from './root-key.file.ts';
import { writeRootRequest } from './root-request.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** CA_DATABASE_URL, CA_PUBLIC_URL. @returns the request's text */
export const requestRoot = (env: Environment): Promise<string> =>
  withDatabase(env, async (database) => {
    const authorities = await known(database);
    const crl = await currentRootCrl(database);
    if (crl === null)
      throw new DomainError('conflict', 'root-crl-missing', 'the root has no CRL yet: start the CA first');
    const url = setting(env, 'CA_PUBLIC_URL').replace(/\/+$/, '');
    const publishedAt = { caIssuers: `${url}/pki/root.cer`, crl: `${url}/pki/root.crl`, ocsp: null };
    return writeRootRequest({ ...authorities, crl, publishedAt });
  });

/** CA_DATABASE_URL. The running CA publishes it within seconds. @throws DomainError `root-crl-refused` */
export const importRootCrl = (env: Environment, der: Buffer, now: Date): Promise<string> =>
  withDatabase(env, async (database) => {
    const { root } = await known(database);
    const list = judgeRootCrl(der, root, await currentRootCrl(database), now);
    await recordRootCrl(database, der, list);
    return `CRL ${list.number} of the root counts from now on, until ${list.nextUpdate.toISOString()}`;
  });

/** CA_DATABASE_URL. The CA takes it over when it starts anew. @throws DomainError `issuing-certificate-refused` */
export const importIssuing = (env: Environment, der: Buffer, now: Date): Promise<string> =>
  withDatabase(env, async (database) => {
    const { root, issuing } = await known(database);
    judgeIssuing(der, root, issuing, now);
    if (!der.equals(issuing)) await recordCertificate(database, 'issuing', der);
    const { serialNumber } = new X509Certificate(der);
    return `the certificate ${serialNumber.toLowerCase()} of the issuing CA counts from its next start on`;
  });

async function known(database: Database) {
  const authorities = await recordedAuthorities(database);
  if (authorities !== null) return authorities;
  throw new DomainError(
    'conflict',
    'authority-not-in-database',
    'the database knows no authorities: start the CA first',
  );
}

async function withDatabase<T>(env: Environment, work: (database: Database) => Promise<T>): Promise<T> {
  const database = openDatabase(setting(env, 'CA_DATABASE_URL'), () => undefined);
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}
