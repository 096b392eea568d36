import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Device, newDevice } from '../support/device.ts';
import { agentDiesAt, PHASES, REQUESTS, VICTIMS, victimDiesAt } from '../support/enrolment-faults.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { enrolmentCode, registerPerson } from '../support/people.ts';
import { startTestSystem, type TestSystem } from '../support/system.ts';
import { bothRecordsAgree } from '../support/vault-audit.ts';

/**
 * kill -9 at every step of an enrolment. `npm run faults` kills everywhere (CARDWRIGHT_FAULTS=whole); `npm test` runs the
 * sample below. After each: the same command completes the enrolment, there is one active card, it signs, and no
 * certificate exists that cms does not know of.
 */
const whole = process.env.CARDWRIGHT_FAULTS === 'whole';

const allVictims = VICTIMS.flatMap((victim) =>
  REQUESTS.flatMap((request) => PHASES.map((phase) => [victim, request, phase] as const)),
);
const sampleOfVictims: typeof allVictims = [
  ['cms', 'claims', 'after'],
  ['cms', 'certificate-requests', 'during'],
  ['vault', 'administrator-keys', 'during'],
  ['vault', 'first-writes', 'before'],
  ['postgres', 'first-writes', 'after'],
  ['postgres', 'certificate-requests', 'during'],
];
const sampleOfPoints = ['server.claim', 'server.administratorKey', 'server.firstWrite', 'card.prepare'].flatMap(
  (name) => [`${name}.before`, `${name}.after`],
);
sampleOfPoints.push('card.firstWriteChallenge.finish.after', 'server.certificate.after', 'server.complete.after');

describe('an enrolment survives kill -9', () => {
  let system: TestSystem;
  let device: Device;
  let proxy: FaultProxy;
  beforeAll(async () => {
    system = await startTestSystem({ durable: true });
    device = await newDevice();
    proxy = await startFaultProxy(system.url);
  }, 120_000);
  afterAll(async () => {
    await proxy?.close();
    await device?.remove();
    await system?.remove();
  });

  it.runIf(!whole).each(sampleOfPoints)('of the agent at %s', (point) => agentDiesAt(system, device, point));

  // How many points there are is known only after one whole enrolment: each is one pass of the loop.
  it('of the agent at every point there is: each request, each TPM command, each stage of each write of its store', async ({
    skip,
  }) => {
    skip(!whole, 'takes too long for every run: npm run faults kills everywhere');
    const points = await tracedPoints();
    expect(points.length).toBeGreaterThan(100);
    for (const [index, name] of points.entries()) {
      try {
        await agentDiesAt(system, device, String(index + 1));
      } catch (cause) {
        throw new Error(`killed at point ${index + 1}, ${name}`, { cause });
      }
    }
    console.log(`agent killed at ${points.length} points`);
  }, 3_600_000);

  it.each(whole ? allVictims : sampleOfVictims)('of %s at %s, %s', (victim, request, phase) =>
    victimDiesAt(system, device, proxy, victim, request, phase),
  );

  it('and afterwards the record of the vault and the audit log of cms agree', () => bothRecordsAgree(system));

  async function tracedPoints(): Promise<string[]> {
    const { id } = await registerPerson(system, 'Trace');
    const trace = join(device.directory, 'trace.txt');
    const ran = await device.agent(
      ['enrol', '--server', system.url, '--code', await enrolmentCode(system, id), '--pin-stdin'],
      { input: '618294\n', env: { CARDWRIGHT_FAULT_TRACE: trace } },
    );
    expect(ran).toMatchObject({ exitCode: 0 });
    return readFileSync(trace, 'utf8').trimEnd().split('\n');
  }
});
