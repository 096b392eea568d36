import { until } from '@cardwright/infra';
import { expect } from 'vitest';
import { type CardInReader, DEFAULT_KEY, newGidsCard, pinIsResetInReader, registered } from '../cards-in-reader.ts';
import type { Device } from '../device.ts';
import { startPcscd, type TestPcscd } from '../pcscd.ts';
import { type Ran, refusalOf } from '../run.ts';
import { bothRecordsAgree } from '../vault-audit.ts';
import { reportedLongAgo } from './key-change.ts';
import { newEnrolment, type TappedDevice } from './key-creation.ts';
import type { TappedSystem } from './tapped-system.ts';
import type { Victim } from './victim.ts';

/** A device with a card reader, and the agent's store that makes it one of cms's devices. */
export interface ReaderDevice {
  readonly pcscd: TestPcscd;
  readonly store: Device;
  readonly deviceId: string;
  /** Whoever can go away at this side: the card is pulled out, or pcscd dies. Both come again at once. */
  readonly victims: Readonly<Record<'card' | 'pcscd', Victim>>;
  /** A card that has the well-known default key, registered to be taken over and put into the reader. */
  next(): Promise<CardInReader>;
  takeOver(card: CardInReader, env?: Readonly<Record<string, string>>): Promise<Ran>;
  remove(): Promise<void>;
}

/** What another process sees of the card: answers to its challenges, and the change. Reading changes nothing. */
const STEPS: Readonly<Record<number, string>> = { 135: 'GENERAL AUTHENTICATE', 219: 'PUT KEY' };

export async function readerDevice(tapped: TappedSystem, on: TappedDevice): Promise<ReaderDevice> {
  const { system, crossings } = tapped;
  const enrolment = await newEnrolment(tapped, on);
  const enrolled = await enrolment.enrol();
  expect(refusalOf(enrolled), enrolled.stderr).toBeNull();
  const { body } = await system.as('helpdesk').get(`/cards?personId=${enrolment.person.id}&state=active`);
  const deviceId = body.items[0].deviceId;
  const pcscd = await startPcscd();
  let here: CardInReader | undefined;
  const putBack = async () => here?.card.insert(pcscd);
  return {
    ...{ pcscd, store: enrolment.store, deviceId },
    victims: {
      card: { name: 'card', kill: async () => here?.card.pull(), start: putBack },
      pcscd: {
        name: 'pcscd',
        kill: () => pcscd.kill(),
        start: async () => {
          await pcscd.start();
          await putBack();
        },
      },
    },
    async next() {
      here?.card.pull();
      const card = newGidsCard(DEFAULT_KEY);
      card.onCommand((ins, phase) => {
        const step = STEPS[ins];
        if (step === undefined) return Promise.resolve(false);
        return crossings.cross({ name: `agent > card: ${step}`, ends: ['agent', 'pcscd', 'card'] }, phase);
      });
      here = await registered(system, deviceId, card);
      await card.insert(pcscd);
      return here;
    },
    takeOver: ({ serial }, env = {}) =>
      on.run(enrolment.store, ['take-over', '--card', serial], '', { ...pcscd.env, ...env }),
    async remove() {
      here?.card.pull();
      await pcscd.stop();
    },
  };
}

/**
 * The same command completes the take-over. Then the card has a key that only the vault has, which keeps no byte of the one
 * before; its PIN can be reset by the product; and the two records agree.
 */
export async function takeOverCompletes(
  tapped: TappedSystem,
  { pcscd, takeOver }: ReaderDevice,
  one: CardInReader,
): Promise<void> {
  const { system } = tapped;
  await tapped.ready();
  const said: (string | null)[] = [];
  await until({ what: 'the card to be taken over', seconds: 60 }, async () => {
    const { body } = await system.as('helpdesk').get(`/cards/${one.id}`);
    if (body.state === 'active') return true;
    said.push(refusalOf(await takeOver(one)));
    await reportedLongAgo(tapped);
    return null;
  }).catch((cause) => {
    throw new Error(`the card was not taken over: ${said.join(', ')}; it was asked ${one.card.asked.join(', ')}`, {
      cause,
    });
  });
  // A card that counts wrong answers bears one: of the likelier key, when it was the other.
  expect(one.card.asked.filter((line) => line === '87 6982').length).toBeLessThanOrEqual(1);
  expect(one.card.administratorKey().equals(DEFAULT_KEY)).toBe(false);
  const keys = await system.query(
    `select state, sealed is null as forgotten from vault.administrator_keys where card_id = $1 and state <> 'superseded'`,
    [one.id],
  );
  expect(keys).toEqual([{ state: 'confirmed', forgotten: false }]);
  const kept = `select key_version from vault.administrator_keys
    where card_id = $1 and state = 'superseded' and sealed is not null`;
  expect(await system.query(kept, [one.id])).toEqual([]);
  await pinIsResetInReader(system, pcscd, one);
  await bothRecordsAgree(system);
}
