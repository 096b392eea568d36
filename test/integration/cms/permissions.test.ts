import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rest } from '../../support/rest.ts';
import { startTestSystem, type TestSystem } from '../../support/system.ts';
import { newCode, rawDevice } from './raw-device.ts';

const ROLES = ['helpdesk', 'security-officer', 'auditor', 'integration'] as const;
const CALLERS = ['nobody', 'device', ...ROLES] as const;
type Caller = (typeof CALLERS)[number];

const everyone: Caller[] = [...CALLERS];
const operators: Caller[] = [...ROLES];
const enrollers: Caller[] = ['helpdesk', 'security-officer', 'integration'];
const resetters: Caller[] = ['helpdesk', 'integration'];
const officers: Caller[] = ['security-officer'];
const device: Caller[] = ['device'];

/** Who may, written by hand beside the code that decides it. An operation that is not here fails the test. */
const WHO_MAY: Record<string, readonly Caller[]> = {
  signIn: everyone,
  getSession: operators,
  signOut: operators,
  search: operators,
  listPeople: operators,
  getPerson: operators,
  createPerson: enrollers,
  changePerson: officers,
  listDevices: operators,
  getDevice: operators,
  listDeviceTasks: operators,
  sendMessage: ['helpdesk', 'security-officer'],
  listCards: operators,
  getCard: operators,
  registerCard: officers,
  retireCard: officers,
  reissueCard: enrollers,
  changeAdministratorKey: officers,
  cancelAdministratorKeyChange: officers,
  giveUpAdministratorKeyChange: officers,
  listAdministratorKeyChanges: operators,
  getAdministratorKeyChange: operators,
  getImportKey: officers,
  listCardProfiles: operators,
  createCardProfile: officers,
  getCardProfile: operators,
  changeCardProfile: officers,
  listCertificateProfiles: operators,
  getCertificateProfile: operators,
  listCertificateProfileVersions: operators,
  createCertificateProfile: officers,
  changeCertificateProfile: officers,
  previewCertificate: officers,
  setKeyRotation: officers,
  listNamedKeys: officers,
  takeNamedKey: officers,
  disclosePuk: officers,
  importCards: officers,
  getCardImport: officers,
  listEnrolments: operators,
  getEnrolment: operators,
  createEnrolment: enrollers,
  cancelEnrolment: enrollers,
  listVouchers: operators,
  confirmInitialPin: enrollers,
  listUnblockSessions: operators,
  listCardUnblockSessions: operators,
  getUnblockSession: operators,
  openUnblockSession: resetters,
  answerChallenge: resetters,
  approveUnblock: resetters,
  refuseUnblock: resetters,
  reportUnblockOutcome: resetters,
  listCertificates: operators,
  listCertificateAuthorities: operators,
  recordHandRevocation: officers,
  listCardCertificates: operators,
  getCertificate: operators,
  getCertificateHistory: operators,
  countCertificateExpiries: operators,
  listCertificateExpiries: operators,
  requestRenewal: enrollers,
  getRevocation: operators,
  listRevocations: operators,
  listHolds: operators,
  revokeCertificate: officers,
  holdCertificate: officers,
  releaseCertificate: officers,
  planRevocationBatch: officers,
  runRevocationBatch: officers,
  listOperations: operators,
  getOperation: operators,
  listOperationItems: operators,
  cancelOperation: officers,
  actOnCard: officers,
  actOnDevice: officers,
  actOnPerson: officers,
  actOnAuthority: officers,
  listCardActs: operators,
  listDeviceActs: operators,
  listPersonActs: operators,
  listEvidence: operators,
  setAttestationPolicy: officers,
  askForEvidence: officers,
  listAuditEvents: ['security-officer', 'auditor', 'integration'],
  claimEnrolment: everyone,
  beginAttestation: device,
  activateAttestation: device,
  signDeviceIn: everyone,
  giveEvidenceNonce: device,
  attestCard: device,
  makeAdministratorKey: device,
  approveFirstWrite: device,
  requestCertificate: device,
  giveProofNonce: device,
  askSupervision: device,
  completeEnrolment: device,
  listOwnCards: device,
  checkIn: device,
  destroyCard: device,
  reportTask: device,
  offerAdministratorKey: device,
  answerCardForKeyChange: device,
  listRenewals: device,
  renewCertificate: device,
  confirmRenewal: device,
  reportReadiness: device,
  protectLockout: device,
  resetLockout: resetters,
  prepareCardApproval: device,
  approveWithCard: device,
  requestUnblock: device,
  pollUnblockRequest: device,
  reportOwnUnblockOutcome: device,
};

interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
}

let system: TestSystem;
let operations: Operation[];
const tokens: Partial<Record<Caller, string>> = {};

beforeAll(async () => {
  system = await startTestSystem();
  for (const role of ROLES) tokens[role] = system.tokens[role];
  const phone = rawDevice(system);
  const { code } = await newCode(system);
  expect((await phone.claim(code)).status).toBe(200);
  tokens.device = phone.token;
  const contract = (await rest(system.url).get('/openapi.json')).body as {
    paths: Record<string, Record<string, { operationId: string }>>;
  };
  operations = Object.entries(contract.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId }]) => ({
      id: operationId,
      method: method.toUpperCase(),
      path,
    })),
  );
});
afterAll(() => system.remove());

async function ask(operation: Operation, token: string | undefined): Promise<{ status: number; code: string }> {
  const answer = await fetch(system.url + operation.path.replaceAll(/\{\w+\}/g, () => randomUUID()), {
    method: operation.method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(operation.method === 'POST' ? { 'content-type': 'application/json' } : {}),
    },
    ...(operation.method === 'POST' ? { body: '{}' } : {}),
  });
  const text = await answer.text();
  return { status: answer.status, code: text.startsWith('{') ? JSON.parse(text).code : '' };
}

describe('who may do what', () => {
  it('is decided for every operation of the contract, and for no other', () => {
    expect(operations.map(({ id }) => id).sort()).toEqual(Object.keys(WHO_MAY).sort());
  });

  it.each(CALLERS)('%s gets no further than allowed, in any operation', async (caller) => {
    const wrong: string[] = [];
    for (const operation of operations) {
      const { status, code } = await ask(operation, tokens[caller]);
      const may = WHO_MAY[operation.id]?.includes(caller);
      const right = may
        ? status !== 401 && status !== 403 && status < 500
        : caller === 'nobody'
          ? status === 401 && code === 'sign-in-required'
          : status === 403 && code === 'permission-missing';
      if (!right) wrong.push(`${caller} ${operation.id}: ${status} ${code}`);
    }
    expect(wrong).toEqual([]);
  });

  it('an auditor changed nothing, and each try of his is in the log', async () => {
    const { items } = (await system.as('auditor').get('/audit/events?outcome=refused&limit=200')).body;
    const mine = items.filter((event: { actor: { role: string } }) => event.actor.role === 'auditor');
    const refused = operations.filter(({ id, method }) => method !== 'GET' && !WHO_MAY[id]?.includes('auditor'));
    expect(mine).toHaveLength(refused.length);
    expect(new Set(mine.map((event: { code: string }) => event.code))).toEqual(new Set(['permission-missing']));
  });

  it('health, documentation and the contract are for everyone, and nothing else is there', async () => {
    const status = async (path: string) => (await fetch(system.url + path)).status;
    expect(await status('/health/live')).toBe(200);
    expect(await status('/health/ready')).toBe(200);
    expect(await status('/docs')).toBe(200);
    expect(await status('/api/v1/nothing-here')).toBe(404);
    expect(await status('/api/v2/people')).toBe(404);
  });
});
