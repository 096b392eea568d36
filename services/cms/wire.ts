import { connectCa } from '@cardwright/ca';
import { connectVault } from '@cardwright/vault';
import { createCredentials } from './access/credentials.pg.ts';
import { createOperatorRecords } from './access/operators.prisma.ts';
import { createPasswordHash } from './access/password.argon2.ts';
import { createSignInThrottle } from './access/throttle.ts';
import { createDeviceTokens } from './attestation/device-tokens.prisma.ts';
import { createEvidenceRecords } from './attestation/evidence.prisma.ts';
import { createIdentities } from './attestation/identities.prisma.ts';
import { createAttestationDesk } from './attestation/index.ts';
import { createTpmRoots } from './attestation/roots.file.ts';
import { createAuditLog } from './audit/log.pg.ts';
import { createAuditTrail, createRefusalTrail } from './audit/trail.pg.ts';
import { createImportDirectory } from './card-import/directory.pg.ts';
import { createCardImports } from './card-import/imports.prisma.ts';
import { createImportService } from './card-import/index.ts';
import { createBatchKeys } from './card-import/vault-batch.link.ts';
import { createCardRecords } from './cards/cards.prisma.ts';
import { createRegistration } from './cards/index.ts';
import { createKeyImport } from './cards/key-import.link.ts';
import { createCardOwners } from './cards/owners.prisma.ts';
import { createProfileViews } from './cards/profiles.prisma.ts';
import { createCardViews } from './cards/views.pg.ts';
import { createCertificateProfiles } from './certificate-profiles/certificate-profiles.prisma.ts';
import { createEmbeddedAuthority } from './certificates/authority.link.ts';
import { createCertificateRecords } from './certificates/certificates.prisma.ts';
import { createIssuance } from './certificates/index.ts';
import { createCertificateReader } from './certificates/reader.x509.ts';
import { describeCertificate, maySign, signedBy, verifySignature } from './certificates/signature.x509.ts';
import { createCertificateViews } from './certificates/views.pg.ts';
import type { Config, DatabaseConfig } from './config.ts';
import { createAttemptRecords } from './connectors/attempts.prisma.ts';
import {
  createAuthorities,
  createConnectorWork,
  createRecordedAuthority,
  EMBEDDED,
  revokeByHand,
} from './connectors/index.ts';
import { openConnectors } from './connectors/open-connectors.file.ts';
import { createAuthorityStates } from './connectors/states.pg.ts';
import { insist, within } from './connectors/within.timers.ts';
import { createLinkedDevices } from './device-link/devices.prisma.ts';
import { type DeviceLinkDependencies, reportedDestruction } from './device-link/index.ts';
import { createDeviceReports } from './device-reports/reports.prisma.ts';
import { createDeviceViews } from './devices/views.pg.ts';
import { createEnrollingDevices } from './enrolment/enrolling-devices.prisma.ts';
import { createEnrolmentRecords } from './enrolment/enrolments.prisma.ts';
import { createHandOvers } from './enrolment/index.ts';
import { createProofNonces, createVouchers } from './enrolment/vouchers.prisma.ts';
import { createCertificateExpiries } from './history/expiries.pg.ts';
import { createCertificateHistory } from './history/states.pg.ts';
import type { Intent } from './kernel/actor.ts';
import { createAgedKeys } from './key-changes/aged-keys.pg.ts';
import {
  beginTakeOver,
  completeOfCard,
  createCardEnding,
  type ReportedVersionPorts,
  reportedChange,
} from './key-changes/index.ts';
import { createKeyChangeRecords } from './key-changes/key-changes.prisma.ts';
import { createTakeOvers } from './key-changes/take-overs.pg.ts';
import { createLifeCycleFacts } from './life-cycle/facts.prisma.ts';
import { createLockoutDevices } from './lockout/devices.pg.ts';
import { createNamedKeys } from './named-keys/vault-keys.link.ts';
import { createOperationRecords } from './operations/operations.pg.ts';
import { createNamedCertificates } from './people/named-certificates.prisma.ts';
import { createPersonRecords } from './people/people.prisma.ts';
import { createPersonViews } from './people/views.pg.ts';
import { createDatabase } from './platform/database.prisma.ts';
import { createIdempotencyKeys } from './platform/idempotency.pg.ts';
import { createLogger } from './platform/log.pino.ts';
import { createRuntime } from './platform/runtime.node.ts';
import { createUnitOfWork } from './platform/unit-of-work.prisma.ts';
import { createPukCards } from './puk/puk-cards.prisma.ts';
import { createPuks } from './puk/vault-puks.link.ts';
import { createRenewalQueue, keptVersions, MAX_A_DAY } from './renewal/index.ts';
import { createPlainRenewals } from './renewal/plain-renewals.pg.ts';
import { createRenewalRecords } from './renewal/renewals.pg.ts';
import { createRevocationBatches } from './revocation/batches.pg.ts';
import { createHoldRecords } from './revocation/holds.prisma.ts';
import { createHolds, createRevocationBatchWork, createRevocations } from './revocation/index.ts';
import { createRevocationQueue } from './revocation/queue.pg.ts';
import { createRevocationRecords } from './revocation/revocations.prisma.ts';
import { createSearchIndex } from './search/search.pg.ts';
import type { TaskEffects } from './tasks/index.ts';
import { createTaskRecords } from './tasks/tasks.prisma.ts';
import { createAnswerRecords } from './unblock/answers.pg.ts';
import { createCardApprovals } from './unblock/card-approvals.prisma.ts';
import { createUnblockSessions } from './unblock/sessions.prisma.ts';
import { createVaultAlertSource } from './vault-alerts/alerts.link.ts';
import { createNotedAlerts } from './vault-alerts/noted.pg.ts';

export type Parts = ReturnType<typeof wire>;

/** What works on the records alone: all that the operators command needs, and the beginning of {@link wire}. */
export function wireDatabase(config: DatabaseConfig) {
  const logger = createLogger(config.logLevel);
  const runtime = createRuntime();
  const database = createDatabase({
    url: config.databaseUrl,
    onError: (error) => logger.warn({ err: error }, 'a database connection was lost'),
  });
  return {
    logger,
    database,
    runtime,
    unitOfWork: createUnitOfWork(database.prisma),
    audit: createAuditTrail(),
    operators: createOperatorRecords(database.prisma),
    passwords: createPasswordHash((length) => runtime.randomBytes(length)),
    close: () => database.close(),
  };
}

/**
 * Chooses the adapters, for the api and the worker alike. Nothing connects before it is used, so that the contract can
 * be printed without a database.
 */
export function wire(config: Config) {
  const records = wireDatabase(config);
  const { logger, database, runtime, unitOfWork, audit } = records;
  const { prisma, pool } = database;
  const vault = connectVault(config.vaultSocket);
  const ca = connectCa(config.caSocket);
  const shared = { unitOfWork, audit, runtime };

  const tasks = createTaskRecords(prisma);
  const changes = createKeyChangeRecords(prisma);
  const cardEnding = createCardEnding({ ...shared, tasks, changes });
  const cards = createCardRecords(prisma);
  const identities = createIdentities(prisma);
  const evidence = createEvidenceRecords(prisma);
  const tpmRoots = createTpmRoots(config.tpmRootsDirectory, config.expiredTpmCertificates);
  const keyImport = createKeyImport(vault);
  const profiles = createProfileViews(prisma);
  const certificateProfiles = createCertificateProfiles(prisma);
  const imports = createCardImports(prisma);
  const certificates = createCertificateRecords(prisma);
  const reader = createCertificateReader();
  const connectors = config.connectorsFile === null ? [] : openConnectors(config.connectorsFile);
  const attempts = createAttemptRecords(prisma);
  const authorityStates = createAuthorityStates(pool);
  const asked = {
    ...{ ...shared, attempts, states: authorityStates, reader, within, insist },
    onError: (error: unknown, name: string) => logger.warn({ err: error, authority: name }, 'a CA gave no certificate'),
  };
  const authorities = createAuthorities([
    { ...EMBEDDED, authority: createEmbeddedAuthority(ca) },
    ...connectors.map((one) => ({ ...one.description, authority: createRecordedAuthority(one, asked) })),
  ]);
  const revocationRecords = createRevocationRecords(prisma);
  const onUnconfirmed = (error: unknown) => logger.warn({ err: error }, 'a revocation or hold waits for its CA');
  const holds = createHoldRecords(prisma);
  const telling = { ...shared, revocations: revocationRecords, holds, certificates, authorities, onUnconfirmed };
  const revocations = createRevocations(telling);
  const holdService = createHolds(telling);
  const revocationQueue = createRevocationQueue(pool);
  const operations = createOperationRecords(pool);
  const batches = createRevocationBatches(pool);
  const batchPorts = { ...shared, batches, operations, certificates, revocationRecords, revocations };
  const enrolments = createEnrolmentRecords(prisma);
  const renewals = createRenewalRecords(pool);
  const renewing = { ...shared, renewals, certificateProfiles, enrolments, cards, tasks };

  const keyChanges: ReportedVersionPorts = {
    ...shared,
    ...{ cards, tasks, changes, vault, cardEnding },
    onUnconfirmed: (error) => logger.warn({ err: error }, 'a change of an administrator key waits for the vault'),
  };
  const handedOver = createHandOvers({ audit, enrolments });
  const deviceLink: DeviceLinkDependencies = {
    ...{ ...keyChanges, devices: createLinkedDevices(prisma), revocations, handedOver },
  };
  const effects: TaskEffects = {
    'change-administrator-key': reportedChange(keyChanges),
    destroy: reportedDestruction(deviceLink),
  };

  return {
    ...records,
    config,
    vault,
    ca,
    refusals: createRefusalTrail(pool),
    auditLog: createAuditLog(pool),
    credentials: createCredentials(pool),
    idempotencyKeys: createIdempotencyKeys(pool),
    throttle: createSignInThrottle(),
    people: createPersonRecords(),
    namedCertificates: createNamedCertificates(),
    personViews: createPersonViews(pool),
    deviceViews: createDeviceViews(pool),
    deviceReports: createDeviceReports(prisma),
    lockoutDevices: createLockoutDevices(pool),
    enrollingDevices: createEnrollingDevices(shared),
    ...{ identities, evidence, tpmRoots, attestationPolicies: evidence },
    attestation: createAttestationDesk({ ...shared, identities, evidence, tpmRoots }),
    deviceTokens: createDeviceTokens(),
    ...{ tasks, effects, changes, keyChanges, deviceLink, cardEnding },
    deviceKeys: changes,
    agedKeys: createAgedKeys(pool),
    takeOvers: createTakeOvers(pool),
    cards,
    cardViews: createCardViews(pool),
    registration: createRegistration({
      ...shared,
      ...{ cards, profiles },
      owners: createCardOwners(prisma),
      keys: keyImport,
      beginTakeOver: beginTakeOver({ ...shared, tasks, changes }),
    }),
    ...{ profiles, certificateProfiles },
    imports,
    importService: createImportService({
      ...shared,
      imports,
      profiles,
      directory: createImportDirectory(pool),
      batchKeys: createBatchKeys(vault),
    }),
    namedKeys: createNamedKeys(vault),
    puks: createPuks(vault),
    pukCards: createPukCards(),
    keyImport,
    searchIndex: createSearchIndex(pool),
    enrolments,
    certificates,
    certificateViews: createCertificateViews(pool),
    history: createCertificateHistory(pool),
    expiries: createCertificateExpiries(pool),
    ...{ renewals, queueRenewals: createRenewalQueue(renewing) },
    plain: createPlainRenewals(pool, MAX_A_DAY),
    profileVersion: keptVersions(certificateProfiles),
    reader,
    ...{ authorities, authorityStates },
    connectorWork: createConnectorWork(connectors, { ...asked, authorities }),
    revokeByHand: (intent: Intent, authority: string, serialNumber: string) =>
      revokeByHand({ ...asked, authorities, confirmRevocation: revocations.confirm }, intent, authority, serialNumber),
    issuance: createIssuance({ ...shared, certificates, certificateProfiles, authorities, reader }),
    revocationRecords,
    lifeCycle: createLifeCycleFacts(prisma),
    ...{ revocations, holdService, revocationQueue, batches, operations },
    operationWork: {
      ...shared,
      operations,
      works: { 'revocation-batch': createRevocationBatchWork(batchPorts) },
      onHeldUp: (error: unknown, id: string) => logger.warn({ err: error, operation: id }, 'an operation is held up'),
    },
    revocationWork: { runtime, revocations, holdService, queue: revocationQueue, onUnconfirmed },
    sessions: createUnblockSessions(prisma),
    answers: createAnswerRecords(pool),
    ...{ cardApprovals: createCardApprovals(prisma), signedBy },
    ...{ vouchers: createVouchers(prisma), nonces: createProofNonces() },
    signatures: { verify: verifySignature, maySign, describe: describeCertificate },
    completeKeyChange: (intent: Intent, cardId: string) => completeOfCard(keyChanges, intent, cardId),
    vaultAlerts: { ...shared, source: createVaultAlertSource(vault), noted: createNotedAlerts(pool) },

    async close(): Promise<void> {
      await Promise.allSettled([vault.close(), ca.close(), database.close()]);
    },
  };
}
