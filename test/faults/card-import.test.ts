import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { beforeAnyImport, cutOffLongAgo, importCompletes, newCardFile } from '../support/crash/card-import.ts';
import { runMatrix, whole } from '../support/crash/matrix.ts';
import { startTappedSystem, type TappedSystem } from '../support/crash/tapped-system.ts';
import { createDriver, killAt, type Victim } from '../support/crash/victim.ts';

/** kill -9 at every step of an import of existing cards from the command line, in batches. */
let tapped: TappedSystem;
const command = createDriver('command');
let points: string[];
/** Of them those that only the first import ever has. */
let first: string[] = [];
let forget = async () => undefined as unknown;
beforeAll(async () => {
  tapped = await startTappedSystem();
  if (whole) forget = await beforeAnyImport(tapped);
  const ofFirst = await traced();
  const ofOthers = await traced();
  points = whole ? ofFirst : ofOthers;
  first = ofFirst.filter((point) => !ofOthers.includes(point));
}, 120_000);
afterAll(() => tapped?.remove());

it('an import survives kill -9 of the command, of cms, of the vault and of PostgreSQL', async () => {
  const { cms, vault, postgres } = tapped.victims;
  const victims: Readonly<Record<string, Victim>> = { command, cms, vault, postgres };
  await runMatrix({
    ...{ title: 'import', points, victims: Object.keys(victims) },
    judged: 'the same command completed it; each card once, and answers as openssl with its key; both records agree',
    sample: [
      ['cms > postgres: commit of audit_events, card_imports, cards | before #2', 'cms'],
      ['vault > postgres: vault.import_batches, vault.record_signatures, vault.uses | after #2', 'vault'],
      ['cms > postgres: commit of audit_events, card_imports | after', 'postgres'],
    ],
    async kill(point, victim) {
      if (first.includes(point)) await forget();
      const file = await newCardFile(tapped, command);
      await killAt(tapped.crossings, point, victims[victim] as Victim, () => undisturbed(file.takeIn()));
      await importCompletes(tapped, file);
    },
  });
}, 7_200_000);

async function traced(): Promise<string[]> {
  const file = await newCardFile(tapped, command);
  const passed = await tapped.crossings.trace(async () => {
    expect(await file.takeIn()).toMatchObject({ exitCode: 0 });
  });
  await importCompletes(tapped, file);
  return passed;
}

/** While the command waits for a batch that was cut off. */
async function undisturbed(taken: Promise<unknown>): Promise<void> {
  let over = false;
  const ended = taken.finally(() => {
    over = true;
  });
  while (!over) {
    await Promise.race([ended, delay(300)]);
    // PostgreSQL may be the one that is away.
    if (!over) await cutOffLongAgo(tapped).catch(() => undefined);
  }
}
