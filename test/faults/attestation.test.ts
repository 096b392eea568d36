import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { trustMaker } from '@cardwright/infra';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runMatrix, whole } from '../support/crash/matrix.ts';
import { type Device, newDevice } from '../support/device.ts';
import { enrolmentCode, registerPerson } from '../support/people.ts';
import { type Ran, refusalOf } from '../support/run.ts';
import { startTestSystem, type TestSystem } from '../support/system.ts';

/** Where `npm test` has it die; CARDWRIGHT_FAULTS=whole dies at every point of the agent, every TPM command among them. */
const SAMPLE = [
  'card.attestation.activate.after',
  'server.activateAttestation.after',
  'card.attestation.proveKey.after',
];

/** kill -9 of the agent in an enrolment by which a device proves its TPM. The same command then completes it, attested. */
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

  /** Of a new person, in a store of its own. `end`: of its first run. */
  async function enrolment(fault: Readonly<Record<string, string>>, end: (first: Ran) => void): Promise<void> {
    const person = await registerPerson(system, 'Ada Lovelace');
    const code = await enrolmentCode(system, person.id);
    const store = join(device.directory, `store-${randomBytes(4).toString('hex')}`);
    const agent = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
      device.agent(args, { input: '618294\n', env: { CARDWRIGHT_STORE: store, ...env } });
    const enrol = ['enrol', '--server', system.url, '--code', code, '--pin-stdin'];
    end(await agent(enrol, fault));
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
  }
  const diesAt = (point: string) =>
    enrolment({ CARDWRIGHT_FAULT_AT: point }, ({ signal, stderr }) => expect(signal, stderr).toBe('SIGKILL'));

  it('of the agent', { timeout: 7_200_000 }, async () => {
    if (!whole) {
      for (const point of SAMPLE) await diesAt(point);
      return;
    }
    const trace = join(device.directory, 'trace');
    await enrolment({ CARDWRIGHT_FAULT_TRACE: trace }, (ran) => expect(refusalOf(ran), ran.stderr).toBeNull());
    const points = readFileSync(trace, 'utf8').trimEnd().split('\n');
    await runMatrix({
      title: 'attested enrolment, inside the agent',
      judged: 'the same command completed it: one active card that signs, and its certificate is attested',
      points: points.map((name, at) => `${at + 1} ${name}`),
      victims: ['agent'],
      kill: (point) => diesAt(point.split(' ')[0] ?? ''),
    });
  });
});
