import { randomUUID, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type CaConnector,
  type CertificateAuthority,
  createAttemptRecords,
  createAuditTrail,
  createAuthorities,
  createAuthorityStates,
  createCertificateReader,
  createConnectorWork,
  createDatabase,
  createRecordedAuthority,
  createRuntime,
  createUnitOfWork,
  insist,
  openConnectors,
  revokeByHand,
  within,
} from '@cardwright/cms/testing';
import pg from 'pg';
import { testDatabase } from './database.ts';
import { runFolder } from './run-folder.ts';

export interface ConnectorRig {
  readonly folder: string;
  /** Asks the database as its owner. */
  rows<T extends object>(text: string, values?: readonly unknown[]): Promise<T[]>;
  file(name: string, content: string, mode?: number): string;
  /** What a configuration file of these makes. */
  open(...connectors: readonly object[]): readonly CaConnector[];
  /** The first of them. */
  one(settings: object): CaConnector;
  /**
   * A process of cms: two of these know nothing of each other but what the database says.
   * @param aheadSeconds how far its clock is ahead
   */
  authority(connector: CaConnector, aheadSeconds?: number): CertificateAuthority;
  /** As a process does that is killed right after: stored, and not judged. */
  receive(connector: CaConnector, requestId: string, certificate: Uint8Array): Promise<void>;
  /** One round of the worker: revokes what nobody wanted. */
  revokeUnwanted(connector: CaConnector): Promise<number>;
  /** An operator says that they did it. */
  revokeByHand(connector: CaConnector, serialNumber: string): Promise<{ readonly revokedAt: Date }>;
  answers(requestId: string): Promise<AnswerRow[]>;
  /** How the questions for a request ended; null: nobody knows. */
  ends(requestId: string): Promise<(string | null)[]>;
  states(): Promise<readonly { readonly name: string; readonly state: string; readonly code: string | null }[]>;
  /** How often an answer could not be stored. */
  unstored(): number;
  close(): Promise<void>;
}

export interface AnswerRow {
  readonly serial_number: string;
  readonly state: string;
  readonly code: string | null;
}

/** The connectors of cms over a database of the test's own: no HTTP API, no cards. */
export async function connectorRig(): Promise<ConnectorRig> {
  const own = await testDatabase();
  const folder = mkdtempSync(join(runFolder(), 'connectors-'));
  const database = createDatabase({ url: own.urls.cms, onError: () => undefined });
  const runtime = createRuntime();
  let unstored = 0;
  const counted = (error: unknown): never => {
    unstored += 1;
    throw error;
  };
  const deps = {
    attempts: createAttemptRecords(database.prisma),
    states: createAuthorityStates(database.pool),
    reader: createCertificateReader(),
    unitOfWork: createUnitOfWork(database.prisma),
    audit: createAuditTrail(),
    onError: () => undefined,
    ...{ runtime, within },
    insist: <T>(work: () => Promise<T>, millis: number) => insist(() => work().catch(counted), millis),
  };
  const owner = new pg.Client({ connectionString: own.ownerUrl });
  await owner.connect();
  const rows = async <T extends object>(text: string, values: readonly unknown[] = []): Promise<T[]> =>
    (await owner.query(text, [...values])).rows;

  const file = (name: string, content: string, mode = 0o600): string => {
    const path = join(folder, name);
    writeFileSync(path, content, { mode });
    return path;
  };
  const open = (...connectors: readonly object[]) =>
    openConnectors(file(`${randomUUID()}.json`, JSON.stringify({ connectors })));

  return {
    ...{ folder, rows, file, open },
    one(settings) {
      const [connector] = open(settings);
      if (connector === undefined) throw new Error('no connector');
      return connector;
    },
    authority(connector, aheadSeconds = 0) {
      const now = () => new Date(Date.now() + aheadSeconds * 1000);
      return createRecordedAuthority(connector, { ...deps, runtime: { ...runtime, now } });
    },
    states: () => deps.states.all(),
    unstored: () => unstored,
    async receive({ description: { name: authority } }, requestId, certificate) {
      const [now, attempt] = [new Date(), { id: randomUUID(), authority, requestId }];
      await deps.unitOfWork.run((tx) => deps.attempts.begin(tx, { ...attempt, startedAt: now, givesUpAt: now }));
      const serialNumber = new X509Certificate(certificate).serialNumber.toLowerCase();
      await deps.attempts.receive(attempt, [{ id: randomUUID(), serialNumber, certificate }], now);
    },
    async revokeUnwanted(connector) {
      const authority = createRecordedAuthority(connector, deps);
      const authorities = createAuthorities([{ ...connector.description, authority }]);
      const [work] = createConnectorWork([connector], { ...deps, authorities }).unwanted;
      const due = (await work?.due(new Date(), 100)) ?? [];
      const actor = { kind: 'system', id: 'worker', name: 'worker' } as const;
      for (const serial of due) await work?.complete({ actor, requestId: randomUUID() }, serial);
      return due.length;
    },
    async revokeByHand(connector, serialNumber) {
      const { name } = connector.description;
      const authority = createRecordedAuthority(connector, deps);
      const authorities = createAuthorities([{ ...connector.description, authority }]);
      const actor = { kind: 'operator', id: randomUUID(), name: 'officer', role: 'security-officer' } as const;
      const all = { ...deps, authorities, confirmRevocation: async () => undefined };
      return await revokeByHand(all, { actor, requestId: randomUUID() }, name, serialNumber);
    },
    answers: (requestId) =>
      rows<AnswerRow>(
        'SELECT serial_number, state, code FROM authority_answers WHERE request_id = $1 ORDER BY received_at, id',
        [requestId],
      ),
    ends: async (requestId) =>
      (
        await rows<{ code: string | null }>(
          `SELECT e.code FROM issuance_attempts a LEFT JOIN issuance_attempt_ends e ON e.attempt_id = a.id
           WHERE a.request_id = $1 ORDER BY a.started_at, a.id`,
          [requestId],
        )
      ).map(({ code }) => code),
    async close() {
      await owner.end();
      await database.close();
      await own.drop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
