import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changeCompletes, nextCard, type RotatingCard } from '../support/crash/key-change.ts';
import { type TappedDevice, tappedDevice } from '../support/crash/key-creation.ts';
import { runMatrix, spread } from '../support/crash/matrix.ts';
import { startTappedSystem, type TappedSystem } from '../support/crash/tapped-system.ts';
import { killAt, type Victim } from '../support/crash/victim.ts';

/** kill -9 at every step of a rotation of a TPM card's administrator key, which the agent does as a task. */
describe('another administrator key for a TPM card', () => {
  let tapped: TappedSystem;
  let on: TappedDevice;
  let card: RotatingCard;
  /** Of one round that nothing disturbs: what others see of it, and the points inside the agent. */
  let points: string[];
  let inside: string[];
  beforeAll(async () => {
    tapped = await startTappedSystem();
    on = await tappedDevice(tapped);
    card = await nextCard(tapped, on, undefined);
    const change = await card.ask();
    const trace = join(on.device.directory, 'trace.txt');
    points = await tapped.crossings.trace(async () => {
      expect(await card.round({ CARDWRIGHT_FAULT_TRACE: trace })).toMatchObject({ exitCode: 0 });
    });
    const names = readFileSync(trace, 'utf8').trimEnd().split('\n');
    inside = names.map((name, at) => `${at + 1} ${name}`);
    await changeCompletes(tapped, card, change);
  }, 120_000);
  afterAll(async () => {
    await on?.remove();
    await tapped?.remove();
  });

  const judged = 'PIN reset on the TPM before and after; the next round completed it; one key left; both records agree';

  async function diesAt(kill: (round: RotatingCard['round']) => Promise<unknown>): Promise<void> {
    card = await nextCard(tapped, on, card);
    const change = await card.ask();
    await kill(card.round);
    await changeCompletes(tapped, card, change);
  }

  it('survives kill -9 of the agent, of cms, of the vault and of PostgreSQL', async () => {
    const { cms, vault, postgres } = tapped.victims;
    const victims: Readonly<Record<string, Victim>> = { agent: on.agent, cms, vault, postgres };
    await runMatrix({
      ...{ title: 'rotation of a TPM card', points, judged, victims: Object.keys(victims) },
      sample: [
        ['cms > vault: key.propose-successor | after', 'cms'],
        ['agent > cms: POST offers | after', 'agent'],
        ['vault > postgres: vault.administrator_keys, vault.record_signatures, vault.uses | after #2', 'vault'],
      ],
      kill: (point, victim) => diesAt((round) => killAt(tapped.crossings, point, victims[victim] as Victim, round)),
    });
  }, 7_200_000);

  it('survives kill -9 of the agent at every point of its own', async () => {
    await runMatrix({
      ...{ title: 'rotation of a TPM card, inside the agent', points: inside, judged, victims: ['agent'] },
      sample: spread({ points: inside, victims: ['agent'] }, 1),
      kill: (point) =>
        diesAt(async (round) => {
          const died = await round({ CARDWRIGHT_FAULT_AT: point.split(' ')[0] ?? '' });
          expect(died.signal, `${point}: ${died.stderr}`).toBe('SIGKILL');
        }),
    });
  }, 7_200_000);
});
