import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CardInReader } from '../support/cards-in-reader.ts';
import { type TappedDevice, tappedDevice } from '../support/crash/key-creation.ts';
import { runMatrix, spread } from '../support/crash/matrix.ts';
import { type ReaderDevice, readerDevice, takeOverCompletes } from '../support/crash/take-over.ts';
import { startTappedSystem, type TappedSystem } from '../support/crash/tapped-system.ts';
import { killAt, type Victim } from '../support/crash/victim.ts';

/** kill -9 at every step of the take-over of a card in a reader, which gets a new administrator key through pcscd. */
describe('a card that is taken over', () => {
  let tapped: TappedSystem;
  let on: TappedDevice;
  let reader: ReaderDevice;
  /** Of one take-over that nothing disturbs: what others see of it, and the points inside the agent. */
  let points: string[];
  let inside: string[];
  beforeAll(async () => {
    tapped = await startTappedSystem();
    on = await tappedDevice(tapped);
    reader = await readerDevice(tapped, on);
    const card = await reader.next();
    const trace = join(on.device.directory, 'trace.txt');
    points = await tapped.crossings.trace(async () => {
      expect(await reader.takeOver(card, { CARDWRIGHT_FAULT_TRACE: trace })).toMatchObject({ exitCode: 0 });
    });
    const names = readFileSync(trace, 'utf8').trimEnd().split('\n');
    inside = names.map((name, at) => `${at + 1} ${name}`);
    await takeOverCompletes(tapped, reader, card);
  }, 120_000);
  afterAll(async () => {
    await reader?.remove();
    await on?.remove();
    await tapped?.remove();
  });

  const judged =
    'the same command completed it; PIN reset by the product; only the new key is kept; both records agree';

  async function diesAt(kill: (card: CardInReader) => Promise<unknown>): Promise<void> {
    const card = await reader.next();
    await kill(card);
    await takeOverCompletes(tapped, reader, card);
  }

  it('survives the death of the agent, cms, the vault, PostgreSQL and pcscd, and being pulled out', async () => {
    const { cms, vault, postgres } = tapped.victims;
    const victims: Readonly<Record<string, Victim>> = { agent: on.agent, cms, vault, postgres, ...reader.victims };
    await runMatrix({
      ...{ title: 'take-over of a card in a reader', points, judged, victims: Object.keys(victims) },
      sample: [
        ['agent > card: PUT KEY | after', 'agent'],
        ['agent > card: PUT KEY | before', 'card'],
        ['cms > vault: key.confirm-change | after', 'cms'],
      ],
      kill: (point, victim) =>
        diesAt((card) => killAt(tapped.crossings, point, victims[victim] as Victim, () => reader.takeOver(card))),
    });
  }, 7_200_000);

  it('survives kill -9 of the agent at every point of its own', async () => {
    await runMatrix({
      ...{ title: 'take-over of a card in a reader, inside the agent', points: inside, judged, victims: ['agent'] },
      sample: spread({ points: inside, victims: ['agent'] }, 1),
      kill: (point) =>
        diesAt(async (card) => {
          const died = await reader.takeOver(card, { CARDWRIGHT_FAULT_AT: point.split(' ')[0] ?? '' });
          expect(died.signal, `${point}: ${died.stderr}`).toBe('SIGKILL');
        }),
    });
  }, 7_200_000);
});
