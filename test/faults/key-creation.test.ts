import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Enrolment,
  enrolmentCompletes,
  newEnrolment,
  type TappedDevice,
  tappedDevice,
} from '../support/crash/key-creation.ts';
import { runMatrix, spread } from '../support/crash/matrix.ts';
import { startTappedSystem, type TappedSystem } from '../support/crash/tapped-system.ts';
import { killAt, type Victim } from '../support/crash/victim.ts';

/** kill -9 at every step of an enrolment, in which the vault makes a card's key and the device's TPM takes it in. */
describe('the key of a new card', () => {
  let tapped: TappedSystem;
  let on: TappedDevice;
  /** Of one enrolment that nothing disturbs: what others see of it, and the points inside the agent. */
  let points: string[];
  let inside: string[];
  beforeAll(async () => {
    tapped = await startTappedSystem();
    on = await tappedDevice(tapped);
    const enrolment = await newEnrolment(tapped, on);
    const trace = join(on.device.directory, 'trace.txt');
    points = await tapped.crossings.trace(async () => {
      expect(await enrolment.enrol({ CARDWRIGHT_FAULT_TRACE: trace })).toMatchObject({ exitCode: 0 });
    });
    const names = readFileSync(trace, 'utf8').trimEnd().split('\n');
    inside = names.map((name, at) => `${at + 1} ${name}`);
    await enrolmentCompletes(tapped, enrolment);
  }, 120_000);
  afterAll(async () => {
    await on?.remove();
    await tapped?.remove();
  });

  const judged = 'the same command completed it; PIN reset on the TPM; it signs; one certificate; both records agree';

  async function diesAt(kill: (enrolment: Enrolment) => Promise<unknown>): Promise<void> {
    const enrolment = await newEnrolment(tapped, on);
    await kill(enrolment);
    await enrolmentCompletes(tapped, enrolment);
  }

  it('survives kill -9 of the agent, of cms, of the vault, of the ca and of PostgreSQL', async () => {
    const victims: Readonly<Record<string, Victim>> = { agent: on.agent, ...tapped.victims };
    await runMatrix({
      ...{ title: 'key creation', points, judged, victims: Object.keys(victims) },
      sample: [
        ['vault > postgres: vault.administrator_keys, vault.record_signatures, vault.uses | after', 'vault'],
        ['cms > vault: tpm.first-write | after', 'cms'],
        ['cms > postgres: commit of audit_events, cards | before', 'postgres'],
      ],
      kill: (point, victim) => diesAt(({ enrol }) => killAt(tapped.crossings, point, victims[victim] as Victim, enrol)),
    });
  }, 7_200_000);

  it('survives kill -9 of the agent at every point of its own', async () => {
    await runMatrix({
      ...{ title: 'key creation, inside the agent', points: inside, judged, victims: ['agent'] },
      sample: spread({ points: inside, victims: ['agent'] }, 2),
      kill: (point) =>
        diesAt(async ({ enrol }) => {
          const died = await enrol({ CARDWRIGHT_FAULT_AT: point.split(' ')[0] ?? '' });
          expect(died.signal, `${point}: ${died.stderr}`).toBe('SIGKILL');
        }),
    });
  }, 7_200_000);
});
