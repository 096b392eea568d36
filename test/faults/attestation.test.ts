import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { trustMaker } from '@cardwright/infra';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Device, newDevice } from '../support/device.ts';
import { enrolmentCode, registerPerson } from '../support/people.ts';
import { refusalOf } from '../support/run.ts';
import { startTestSystem, type TestSystem } from '../support/system.ts';

/**
 * kill -9 of the agent around each step by which a device proves its TPM. The same command then completes the enrolment, and
 * the certificate is attested. `npm run faults` (CARDWRIGHT_FAULTS=whole) dies at all of these points.
 */
const STEPS = [
  'server.beginAttestation',
  'card.attestation.activate',
  'card.attestation.proveParent',
  'server.activateAttestation',
  'server.evidenceNonce',
  'card.attestation.proveKey',
  'card.attestation.proveCard',
  'server.certificate',
];
const whole = process.env.CARDWRIGHT_FAULTS === 'whole';
const sample = [
  'card.attestation.activate.after',
  'server.activateAttestation.after',
  'card.attestation.proveKey.after',
];
const points = whole ? STEPS.flatMap((step) => [`${step}.before`, `${step}.after`]) : sample;

describe('an attested enrolment survives kill -9', () => {
  let system: TestSystem;
  let device: Device;
  beforeAll(async () => {
    system = await startTestSystem();
    device = await newDevice();
    trustMaker(join(device.directory, 'tpm'), system.data.tpmRoots, 'device');
    const policy = { policy: 'required', reason: 'for this test' };
    const set = await system.as('security-officer').post('/card-profiles/tpm-default/attestation-policies', policy);
    expect(set.status).toBe(201);
  }, 120_000);
  afterAll(async () => {
    await device?.remove();
    await system?.remove();
  });

  it.each(points)('of the agent at %s', async (point) => {
    const person = await registerPerson(system, 'Ada Lovelace');
    const code = await enrolmentCode(system, person.id);
    const store = join(device.directory, `store-${randomBytes(4).toString('hex')}`);
    const agent = (args: readonly string[], env: Record<string, string> = {}) =>
      device.agent([...args], { input: '618294\n', env: { CARDWRIGHT_STORE: store, ...env } });
    const enrol = ['enrol', '--server', system.url, '--code', code, '--pin-stdin'];
    const died = await agent(enrol, { CARDWRIGHT_FAULT_AT: point });
    expect(died.signal, died.stderr).toBe('SIGKILL');
    expect(refusalOf(await agent(enrol))).toBeNull();
    const cards = (await system.as('helpdesk').get(`/cards?personId=${person.id}`)).body.items;
    const made = cards.filter(({ state }: { state: string }) => state !== 'requested');
    expect(made).toMatchObject([{ state: 'active' }]);
    expect(
      refusalOf(await agent(['sign', '--in', '/proc/version', '--out', `${store}.sig`, '--pin-stdin'])),
    ).toBeNull();
    const odd = await system.query(`select id from certificates where attestation <> 'attested'`);
    expect(odd).toEqual([]);
    // Gives the TPM its place back.
    expect(refusalOf(await agent(['destroy', '--card', made[0].serial, '--yes']))).toBeNull();
  });
});
