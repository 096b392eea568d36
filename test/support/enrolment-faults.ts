import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Device } from './device.ts';
import type { FaultProxy, Phase } from './fault-proxy.ts';
import { enrolmentCode, registerPerson } from './people.ts';
import { type Ran, refusalOf } from './run.ts';
import type { TestSystem } from './system.ts';

const PIN = '618294';
export const VICTIMS = ['cms', 'vault', 'ca', 'postgres'] as const;
export type Victim = (typeof VICTIMS)[number];
export const PHASES: readonly Phase[] = ['before', 'during', 'after'];
/** The agent's requests in an enrolment, in their order, by the end of their paths. */
export const REQUESTS = [
  'claims',
  'administrator-keys',
  'first-writes',
  'certificate-requests',
  'completions',
] as const;

/** One enrolment of a new person with a store of its own, whose command can be repeated to the letter. */
async function newEnrolment(system: TestSystem, device: Device, server: string) {
  const person = await registerPerson(system, 'Ada Lovelace');
  const code = await enrolmentCode(system, person.id);
  const store = join(device.directory, `store-${randomBytes(4).toString('hex')}`);
  const agent = (args: readonly string[], env: Record<string, string> = {}, input = `${PIN}\n`): Promise<Ran> =>
    device.agent(args, { input, env: { CARDWRIGHT_STORE: store, ...env } });
  const enrol = (env: Record<string, string> = {}) =>
    agent(['enrol', '--server', server, '--code', code, '--pin-stdin'], env);
  return {
    person,
    agent,
    enrol,
    sign: ['sign', '--in', '/proc/version', '--out', join(device.directory, 'signature')],
  };
}

/** The agent dies at that fault point (agent/faults.ts); the same command then completes the enrolment. */
export async function agentDiesAt(system: TestSystem, device: Device, point: string): Promise<void> {
  const enrolment = await newEnrolment(system, device, system.url);
  const died = await enrolment.enrol({ CARDWRIGHT_FAULT_AT: point });
  expect(died.signal, `${point}: ${died.stderr}`).toBe('SIGKILL');
  await completes(system, enrolment);
}

/** A process of the system dies at that request; it is started again, and the same command completes the enrolment. */
export async function victimDiesAt(
  ...[system, device, proxy, victim, request, phase]: [TestSystem, Device, FaultProxy, Victim, string, Phase]
): Promise<void> {
  const enrolment = await newEnrolment(system, device, proxy.url);
  const dying = victim === 'postgres' ? system.postgres : system.processes[victim];
  if (dying === null) throw new Error('these tests kill the PostgreSQL of the data directory');
  let killed: Promise<void> = Promise.resolve();
  proxy.arm(request, phase, () => {
    killed = dying.kill();
    return killed;
  });
  await enrolment.enrol();
  expect(proxy.struck(), `the agent asked for ${request}`).toBe(true);
  await killed;
  await dying.start();
  await completes(system, enrolment);
}

/** The same command again; then: one active card, that signs; and no certificate that is not recorded. */
async function completes(system: TestSystem, enrolment: Awaited<ReturnType<typeof newEnrolment>>): Promise<void> {
  const again = await enrolment.enrol();
  expect(refusalOf(again), again.stderr).toBeNull();
  const cards = await system.as('helpdesk').get(`/cards?personId=${enrolment.person.id}`);
  const living = cards.body.items.filter(({ state }: { state: string }) => state !== 'requested');
  expect(living).toMatchObject([{ state: 'active' }]);
  expect(refusalOf(await enrolment.agent([...enrolment.sign, '--pin-stdin']))).toBeNull();
  const active = await system.as('auditor').get(`/cards/${living[0].id}/certificates`);
  expect(active.body.items.filter(({ status }: { status: string }) => status === 'active')).toHaveLength(1);
  await everyCertificateIsRecorded(system);
  // Gives the TPM its place back; a device of these tests sees hundreds of cards.
  expect(refusalOf(await enrolment.agent(['destroy', '--card', living[0].serial, '--yes']))).toBeNull();
}

/** Nobody may hold a certificate that could not be revoked because cms does not know of it. */
async function everyCertificateIsRecorded(system: TestSystem): Promise<void> {
  const unknown = await system.query(
    `select i.request_id from ca.certificates i
       left join public.certificates c on c.request_id = i.request_id and c.status <> 'failed'
      where i.profile = 'smart-card-sign-in' and c.id is null`,
  );
  expect(unknown).toEqual([]);
}
