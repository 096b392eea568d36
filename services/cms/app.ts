import { registerSessionRoutes, sessionComponents } from './access/session.http.ts';
import { createSignIn } from './access/sign-in.ts';
import { createSignOut } from './access/sign-out.ts';
import { attestationComponents, registerAttestationRoutes } from './attestation/attestation.http.ts';
import { deviceAttestationComponents, registerDeviceAttestationRoutes } from './attestation/device-attestation.http.ts';
import { auditComponents, registerAuditRoutes } from './audit/audit.http.ts';
import { cardImportComponents, registerCardImportRoutes } from './card-import/card-import.http.ts';
import { registerCardRoutes } from './cards/cards.http.ts';
import { cardComponents } from './cards/cards.schema.http.ts';
import { changeProfile } from './cards/change-profile.ts';
import { createProfile, setKeyRotation } from './cards/create-profile.ts';
import { registerProfileRoutes } from './cards/profiles.http.ts';
import { profileComponents } from './cards/profiles.schema.http.ts';
import { createRetireCard } from './cards/retire-card.ts';
import { registerCertificateProfileRoutes } from './certificate-profiles/certificate-profiles.http.ts';
import { certificateProfileComponents } from './certificate-profiles/schema.http.ts';
import { registerCertificateRoutes } from './certificates/certificates.http.ts';
import { certificateComponents } from './certificates/certificates.schema.http.ts';
import type { Config } from './config.ts';
import { authorityComponents, registerAuthorityRoutes } from './connectors/authorities.http.ts';
import { deviceLinkComponents, registerDeviceLinkRoutes } from './device-link/device-link.http.ts';
import { deviceReportComponents, registerDeviceReportRoutes } from './device-reports/device-reports.http.ts';
import { deviceComponents, registerDeviceRoutes } from './devices/devices.http.ts';
import { deviceEnrolmentComponents, registerDeviceEnrolmentRoutes } from './enrolment/device-enrolment.http.ts';
import { deviceProofComponents, registerDeviceProofRoutes } from './enrolment/device-proofs.http.ts';
import { enrolmentComponents, registerEnrolmentRoutes } from './enrolment/enrolment.http.ts';
import { registerReissueRoutes, reissueComponents } from './enrolment/reissue.http.ts';
import { registerVouchingRoutes, vouchingComponents } from './enrolment/vouching.http.ts';
import { expiryComponents, registerExpiryRoutes } from './history/expiries.http.ts';
import { historyComponents, registerHistoryRoutes } from './history/history.http.ts';
import { deviceKeyChangeComponents, registerDeviceKeyChangeRoutes } from './key-changes/device-key-changes.http.ts';
import { keyChangeComponents, registerKeyChangeRoutes } from './key-changes/key-changes.http.ts';
import { authorityActComponents, registerAuthorityActRoutes } from './life-cycle/authority-act.http.ts';
import { registerLifeCycleRoutes } from './life-cycle/life-cycle.http.ts';
import { lifeCycleComponents } from './life-cycle/schema.http.ts';
import { lockoutComponents, registerLockoutRoutes } from './lockout/lockout.http.ts';
import { namedKeyComponents, registerNamedKeyRoutes } from './named-keys/named-keys.http.ts';
import { operationComponents } from './operations/index.ts';
import { registerOperationRoutes } from './operations/operations.http.ts';
import { createChangePerson } from './people/change-person.ts';
import { createCreatePerson } from './people/create-person.ts';
import { peopleComponents, registerPeopleRoutes } from './people/people.http.ts';
import { registerPkiRoutes } from './pki/pki.http.ts';
import { hashToken } from './platform/authentication.http.ts';
import { registerConsoleRoutes } from './platform/console.http.ts';
import { registerDocsRoutes } from './platform/docs.http.ts';
import { registerHealthRoutes } from './platform/health.http.ts';
import { type App, createServer } from './platform/server.http.ts';
import { pukComponents, registerPukRoutes } from './puk/puk.http.ts';
import { registerRenewalRoutes, renewalComponents } from './renewal/renewal.http.ts';
import { registerRenewalRequestRoutes, renewalRequestComponents } from './renewal/renewal-requests.http.ts';
import { registerRevocationBatchRoutes, revocationBatchComponents } from './revocation/batch.http.ts';
import { registerRevocationRoutes } from './revocation/revocation.http.ts';
import { revocationComponents } from './revocation/schema.http.ts';
import { registerSearchRoutes, searchComponents } from './search/search.http.ts';
import { deviceTaskComponents, registerDeviceTaskRoutes } from './tasks/device-tasks.http.ts';
import { registerTaskRoutes, taskComponents } from './tasks/tasks.http.ts';
import { deviceUnblockComponents, registerDeviceUnblockRoutes } from './unblock/device-unblock.http.ts';
import { registerSelfServiceRoutes, selfServiceComponents } from './unblock/self-service.http.ts';
import { registerUnblockRoutes, unblockComponents } from './unblock/unblock.http.ts';
import type { Parts } from './wire.ts';

const components = [
  ...sessionComponents,
  ...auditComponents,
  ...peopleComponents,
  ...deviceComponents,
  ...deviceReportComponents,
  ...lockoutComponents,
  ...cardComponents,
  ...profileComponents,
  ...cardImportComponents,
  ...namedKeyComponents,
  ...pukComponents,
  ...searchComponents,
  ...enrolmentComponents,
  ...vouchingComponents,
  ...deviceProofComponents,
  ...reissueComponents,
  ...deviceAttestationComponents,
  ...attestationComponents,
  ...deviceEnrolmentComponents,
  ...deviceLinkComponents,
  ...taskComponents,
  ...deviceTaskComponents,
  ...keyChangeComponents,
  ...deviceKeyChangeComponents,
  ...unblockComponents,
  ...deviceUnblockComponents,
  ...selfServiceComponents,
  ...certificateProfileComponents,
  ...certificateComponents,
  ...historyComponents,
  ...expiryComponents,
  ...authorityComponents,
  ...revocationComponents,
  ...revocationBatchComponents,
  ...operationComponents,
  ...lifeCycleComponents,
  ...authorityActComponents,
  ...renewalComponents,
  ...renewalRequestComponents,
];

/** The whole API, ready to listen. */
export async function createApp(parts: Parts): Promise<App> {
  const { config, runtime, revocations } = parts;
  const app = await createServer({ ...parts, ...config, components });

  registerSessionRoutes(app, { ...config, signIn: createSignIn(parts), signOut: createSignOut(parts) });
  registerAuditRoutes(app, { log: parts.auditLog });
  registerPeopleRoutes(app, {
    views: parts.personViews,
    createPerson: createCreatePerson(parts),
    changePerson: createChangePerson(parts),
  });
  registerDeviceRoutes(app, { views: parts.deviceViews, reports: parts.deviceReports });
  registerDeviceReportRoutes(app, parts);
  registerLockoutRoutes(app, { ...parts, lockoutRules: config.lockoutRules });
  registerCardRoutes(app, {
    views: parts.cardViews,
    registerCard: parts.registration.register,
    retireCard: createRetireCard({ ...parts, revoker: revocations }),
    importKey: parts.keyImport.publicKey,
  });
  registerProfileRoutes(app, {
    ...parts,
    createProfile: (intent, input) => createProfile(parts, intent, input),
    changeProfile: (intent, name, expected, input) => changeProfile(parts, intent, name, expected, input),
    setKeyRotation: (intent, name, days) => setKeyRotation(parts, intent, name, days),
  });
  registerCertificateProfileRoutes(app, parts);
  registerCardImportRoutes(app, {
    ...parts,
    onUnsettled: (error) => parts.logger.warn({ err: error }, 'an import waits for the worker'),
  });
  registerNamedKeyRoutes(app, parts);
  registerPukRoutes(app, parts);
  registerSearchRoutes(app, { index: parts.searchIndex });
  registerEnrolmentRoutes(app, parts);
  registerReissueRoutes(app, parts);
  registerVouchingRoutes(app, { ...parts, keys: parts.vault });
  registerDeviceProofRoutes(app, { ...parts, keys: parts.vault });
  registerDeviceEnrolmentRoutes(app, { ...parts, keys: parts.vault, devices: parts.enrollingDevices });
  registerDeviceAttestationRoutes(app, { ...parts, audiences: audiencesOf(config), hashToken });
  registerAttestationRoutes(app, parts);
  registerDeviceLinkRoutes(app, parts.deviceLink);
  registerTaskRoutes(app, parts);
  registerDeviceTaskRoutes(app, parts);
  registerKeyChangeRoutes(app, parts);
  registerDeviceKeyChangeRoutes(app, parts);
  registerUnblockRoutes(app, parts);
  registerDeviceUnblockRoutes(app, parts);
  registerSelfServiceRoutes(app, parts);
  registerCertificateRoutes(app, { views: parts.certificateViews, runtime });
  registerHistoryRoutes(app, parts);
  registerExpiryRoutes(app, { ...parts, views: parts.certificateViews });
  registerAuthorityRoutes(app, parts);
  registerRevocationRoutes(app, parts);
  registerRevocationBatchRoutes(app, parts);
  registerOperationRoutes(app, parts);
  registerLifeCycleRoutes(app, parts);
  registerAuthorityActRoutes(app, parts);
  registerRenewalRoutes(app, parts);
  registerRenewalRequestRoutes(app, parts);

  registerHealthRoutes(app, {
    parts: { database: () => parts.database.ready(), vault: () => parts.vault.health(), ca: () => parts.ca.health() },
  });
  registerDocsRoutes(app);
  await registerPkiRoutes(app, { caUrl: config.caUrl });
  await registerConsoleRoutes(app, { root: config.webRoot });
  await app.ready();
  return app;
}

/** The token endpoint's URLs: what an assertion of a device must be meant for. */
function audiencesOf({ publicUrl, deviceUrls }: Pick<Config, 'publicUrl' | 'deviceUrls'>): string[] {
  return [publicUrl, ...deviceUrls].map((url) => `${url.replace(/\/+$/, '')}/api/v1/agent/tokens`);
}
