import { Secret } from '@cardwright/protocol';
import { tpmCardMaker } from '../card/tpm/index.ts';
import { noFaults } from '../faults.ts';
import { recordOf } from '../store/card-record.ts';
import { FileMedium } from '../store/medium.file.ts';
import { Store } from '../store/store.ts';
import { openTpm } from '../tpm/index.ts';

/**
 * The stored card in one process that stays, for the bench: `acts-program TCTI STORE PIN OTHER COUNT` prints the
 * milliseconds of so many signatures, each with its proof of the PIN, and of so many changes of the PIN, as JSON.
 */
const [tcti = '', directory = '', pin = '', other = '', times = '0'] = process.argv.slice(2);
const { document } = new Store(new FileMedium(directory, noFaults));
const [stored] = document.cards;
if (stored === undefined) throw new Error('there is no card in that store');
const maker = tpmCardMaker(await openTpm(tcti));
const card = maker.open(recordOf(stored, (await maker.parent()).name));
const key = Buffer.from(stored.keys[0]?.blob ?? '', 'base64');
const approval = {
  approvedPolicy: Buffer.from(stored.selfChange.approvedPolicy, 'base64'),
  signature: Buffer.from(stored.selfChange.signature, 'base64'),
};

async function each(act: (round: number) => Promise<unknown>): Promise<number[]> {
  const taken: number[] = [];
  for (let round = 0; round < Number(times); round++) {
    const began = performance.now();
    await act(round);
    taken.push(performance.now() - began);
  }
  return taken;
}
const signing = await each(() =>
  card.sign({ key, hash: 'sha256', digest: new Uint8Array(32).fill(7), pin: Secret.fromText(pin) }),
);
const changing = await each((round) => {
  const [old, fresh] = round % 2 === 0 ? [pin, other] : [other, pin];
  return card.changePin(Secret.fromText(old), Secret.fromText(fresh), approval);
});
process.stdout.write(JSON.stringify({ signing, changing }));
await maker.close();
