import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { serveLink } from '@cardwright/link';
import type { Logger } from 'pino';
import { recordAuthorities, recordedAuthorities } from './authorities/authorities.pg.ts';
import { keysDirectory, readSecret } from './authorities/keys.file.ts';
import { type MakingOptions, makeAuthorities } from './authorities/make.ts';
import { type Authorities, openAuthorities } from './authorities/open.ts';
import { connectToken } from './authorities/token-client.pkcs11.ts';
import type { CaConfig } from './config.ts';
import { type Database, openDatabase } from './database.pg.ts';
import { type FaultPoint, noFaults, withFaults } from './faults.ts';
import { certificateStore } from './issuance/certificates.pg.ts';
import { proofThreads } from './issuance/proof-threads.node.ts';
import { unfinishedRequests } from './issuance/unfinished.pg.ts';
import { ocspResponder } from './ocsp/responder.ts';
import { statusWatch } from './ocsp/status-watch.ts';
import { changeLog, statusStore } from './ocsp/statuses.pg.ts';
import { operations } from './operations.link.ts';
import { pkiServer } from './pki.http.ts';
import { crlName } from './revocation/crl-name.ts';
import { crlStore } from './revocation/crls.pg.ts';
import { crlPublisher } from './revocation/publish-crl.ts';
import { statusChangeStore } from './revocation/revocations.pg.ts';
import { CRL_SCHEDULES } from './revocation/schedule.ts';
import { crlShards } from './revocation/shards.pg.ts';
import { shardOf } from './revocation/shards.ts';
import { pooledRandom } from './x509/serial-number.ts';

/** One process at a time opens or makes the authorities. The migrator's lock is 72707369. */
const AUTHORITIES_LOCK = 72_707_370;
/** How soon a CRL that could not be made with its revocation, or is due by age, is made. */
const UPKEEP_MS = 5000;
/** How soon a change of status by another process is seen, hence shown by OCSP. */
const WATCH_MS = 250;

/** Beside the CA's own thread, which signs and records. */
const MAX_PROOF_THREADS = 4;

export interface RunningCa {
  readonly httpPort: number;
  close(): Promise<void>;
}

/** Opens or makes everything, and answers on socket and port when it returns. */
export async function startCa(config: CaConfig, logger: Logger, fault: FaultPoint = noFaults): Promise<RunningCa> {
  const now = () => new Date();
  const onLost = (error: Error) => logger.warn({ err: error }, 'database connection lost');
  const database = openDatabase(config.databaseUrl, onLost);
  const closers: (() => Promise<void>)[] = [() => database.close()];
  try {
    const token = config.token === null ? null : { ...connectToken(config.token), label: config.token.label };
    if (token !== null) closers.push(() => token.close());
    const authorities = await authoritiesOf(config, database, token, fault);
    const store = withFaults(certificateStore(database), 'certificates', fault, ['propose', 'complete']);
    const shards = {
      root: await crlShards(database, 'root', 1),
      issuing: await crlShards(database, 'issuing', config.crlShards),
    };
    const crlsOf = (name: 'root' | 'issuing') =>
      crlPublisher({
        authority: authorities[name],
        shards: shards[name],
        baseUrl: `${config.publicUrl}/pki`,
        schedule: CRL_SCHEDULES[name],
        store: withFaults(crlStore(database, fault), 'crls', fault, ['replace']),
        now,
      });
    const crls = { root: crlsOf('root'), issuing: crlsOf('issuing') };
    const failed = (error: unknown) => logger.error({ err: error }, 'CRL or OCSP upkeep failed; it is tried again');
    // A connection of its own: behind a queue of others it would take a busy database for an absent one.
    const watchLine = openDatabase(config.databaseUrl, onLost, 1);
    closers.push(() => watchLine.close());
    const watch = statusWatch({
      log: changeLog(watchLine, 'issuing'),
      now: () => performance.now(),
      onChange: (serials) => {
        responder.forget(serials);
        void crls.issuing.refresh().catch(failed);
      },
      timeout: (ms, signal) => setTimeout(ms, undefined, { signal, ref: false }),
    });
    const responder = ocspResponder({
      watch,
      issuing: authorities.issuing,
      certificates: store,
      statuses: statusStore(database, 'issuing'),
      now,
      random: randomBytes,
      onError: (error) => logger.error({ err: error }, 'an OCSP request failed'),
    });
    const upkeep = () => Promise.all([crls.root.refresh(), crls.issuing.refresh(), responder.renew()]);
    await upkeep();
    const timer = setInterval(() => void upkeep().catch(failed), UPKEEP_MS);
    const watching = setInterval(() => void watch.look(), WATCH_MS);
    closers.push(async () => {
      clearInterval(timer);
      clearInterval(watching);
      await watch.look();
    });

    const proofs = proofThreads(Math.max(1, Math.min(MAX_PROOF_THREADS, availableParallelism() - 1)));
    closers.push(() => proofs.close());
    const checkDatabase = async () => void (await database.query('ping', 'SELECT 1', []));
    const ports = {
      authorities,
      crls,
      checkDatabase,
      issue: {
        store,
        prove: proofs.prove,
        issuing: authorities.issuing,
        publishedAt: (serialNumber: Buffer) =>
          publishedBy(config, 'issuing', shardOf(serialNumber, shards.issuing), shards.issuing),
        now,
        random: pooledRandom(randomBytes),
      },
      status: {
        store: withFaults(statusChangeStore(database, fault), 'status', fault, ['change']),
        now,
        // The revocation stands already. Upkeep sees that the CRL lacks it, should this fail.
        recorded: (issuer: 'root' | 'issuing', serialNumber: Buffer) => {
          responder.forget([serialNumber.toString('hex')]);
          return crls[issuer].refresh(shardOf(serialNumber, shards[issuer])).catch(failed);
        },
      },
    };
    const http = pkiServer({ authorities, crls, responder, now, checkReady: checkDatabase, logger });
    closers.push(() => http.close());
    await http.listen({ host: config.httpHost, port: config.httpPort });
    const link = await serveLink({
      socketPath: config.socket,
      handlers: operations(ports),
      onError: (error, op) => logger.error({ err: error, op }, 'an operation failed'),
    });
    closers.push(() => link.close());
    const address = http.server.address();
    const httpPort = typeof address === 'object' && address !== null ? address.port : config.httpPort;
    void tellUnfinished(database, logger).catch(failed);
    return { httpPort, close: () => closeAll(closers) };
  } catch (error) {
    await closeAll(closers);
    throw error;
  }
}

/** What a start that was killed left behind: for people to see, for nothing is lost by it. */
async function tellUnfinished(database: Database, logger: Logger): Promise<void> {
  const { count, oldest } = await unfinishedRequests(database);
  if (count === 0) return;
  logger.warn(
    { count, oldest },
    'certificates were proposed and not issued: each is issued when it is asked for again',
  );
}

async function authoritiesOf(
  config: CaConfig,
  database: Database,
  token: MakingOptions['token'],
  fault: FaultPoint,
): Promise<Authorities> {
  const secret = await readSecret(config.secretFile);
  const keys = keysDirectory(config.keysDirectory);
  const authorities = {
    keys: withFaults(keys, 'keys', fault, ['create', 'markRecorded']),
    recorded: () => recordedAuthorities(database),
    token,
    record: (authorities: Parameters<typeof recordAuthorities>[1]) => recordAuthorities(database, authorities),
    make: () =>
      makeAuthorities({
        now: new Date(),
        random: randomBytes,
        mark: randomBytes(4).toString('hex'),
        publishedAt: publishedBy(config, 'root', 0, 1),
        secret,
        keyTypes: config.keyTypes,
        token,
      }),
  };
  try {
    const ports = withFaults(authorities, 'authorities', fault, ['record']);
    return await database.exclusively(AUTHORITIES_LOCK, () => openAuthorities(ports, secret));
  } finally {
    secret.wipe();
  }
}

const publishedBy = ({ publicUrl }: CaConfig, issuer: 'root' | 'issuing', shard: number, shards: number) => ({
  caIssuers: `${publicUrl}/pki/${issuer}.cer`,
  crl: `${publicUrl}/pki/${crlName(issuer, shard, shards, 'full')}`,
  ocsp: issuer === 'issuing' ? `${publicUrl}/pki/ocsp` : null,
});

/** The last opened first, and each whatever became of the others. */
async function closeAll(closers: readonly (() => Promise<void>)[]): Promise<void> {
  for (const close of [...closers].reverse()) await close().catch(() => undefined);
}
