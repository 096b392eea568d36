import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  block,
  type CardAct,
  changePin,
  destroy,
  type HeldCard,
  hasOneKnownPin,
  heldCard,
  isGoneAfterDestroy,
  isGoneAfterRound,
  opensAfterUnblock,
  pointsOf,
  retire,
  round,
  unblockByPhone,
  unblockOnline,
} from '../support/card-acts-faults.ts';
import { runMatrix, whole } from '../support/crash/matrix.ts';
import { type Device, newDevice } from '../support/device.ts';
import { handOver, isHandedOver, seal } from '../support/hand-over-faults.ts';
import {
  type BeforeRenewal,
  hourlyProfile,
  isRenewed,
  makeDue,
  renewNewKey,
  renewSameKey,
} from '../support/renewal-faults.ts';
import { startTestSystem, type TestSystem } from '../support/system.ts';

/** One card asks the vault hundreds of times here. */
const OFTEN = { VAULT_LIMIT_PER_CARD: '100000', VAULT_LIMIT_PER_REQUESTER: '100000', VAULT_LIMIT_IN_ALL: '100000' };
const TIMEOUT = 7_200_000;

interface Dying {
  readonly title: string;
  readonly judged: string;
  readonly act: CardAct;
  readonly card: () => HeldCard;
  /** Makes ready for each death. */
  readonly before: () => Promise<unknown>;
  /** Looks at what is left, and puts it right. */
  readonly after: () => Promise<void>;
  /** Where `npm test` has it die: points by their names. */
  readonly sample: readonly string[];
}

/**
 * kill -9 of the agent at each of its points: before and after every request, every call of the card and every single TPM
 * command, and at each stage of each write of the store (agent/faults.ts). CARDWRIGHT_FAULTS=whole dies at all of them,
 * counting up until the act ends by itself.
 */
async function diesEverywhere({ title, judged, act, card, before, after, sample }: Dying): Promise<void> {
  const dies = async (at: string): Promise<boolean> => {
    await before();
    const ran = await act(card(), { CARDWRIGHT_FAULT_AT: at });
    if (ran.signal !== 'SIGKILL') expect(ran.exitCode, `${at}: ${ran.stderr}`).toBe(0);
    await after();
    return ran.signal === 'SIGKILL';
  };
  if (!whole) {
    for (const at of sample) expect(await dies(at), at).toBe(true);
    return;
  }
  await before();
  const points = (await pointsOf(card(), act)).map((name, at) => `${at + 1} ${name}`);
  await after();
  // How often a server is asked for an answer differs, so that the act may end a point or two earlier or later.
  const [fewest, most] = [points.length - 6, points.length + 20];
  await runMatrix({
    ...{ title, judged, points, victims: ['agent'] },
    kill: async (point) => {
      const at = Number(point.split(' ')[0]);
      if (!(await dies(String(at)))) expect(at).toBeGreaterThan(fewest);
    },
  });
  let beyond = points.length + 1;
  while (await dies(String(beyond))) expect(++beyond).toBeLessThan(most);
}

describe('the agent dies', () => {
  let system: TestSystem;
  let device: Device;
  /** Through all acts that leave it standing. */
  let held: HeldCard;
  const card = () => held;
  beforeAll(async () => {
    system = await startTestSystem({ environment: { vault: OFTEN } });
    device = await newDevice();
    held = await heldCard(system, device, await hourlyProfile(system));
  }, 120_000);
  afterAll(async () => {
    await device?.remove();
    await system?.remove();
  });

  it('in a change of the PIN: the old one holds or the new one', { timeout: TIMEOUT }, async () => {
    await diesEverywhere({
      title: 'change of the PIN',
      judged: 'one of the two PINs opens the card, the other does not',
      act: changePin,
      card,
      before: async () => undefined,
      after: () => hasOneKnownPin(held),
      sample: ['tpm.run.before#8', 'card.open.changePin.after'],
    });
  });

  it.each([
    ['by phone', unblockByPhone, 'card.open.challenge.finish.after'],
    ['online', unblockOnline, 'server.reportUnblock.before'],
  ] as const)(
    'in an unblock %s: the same command opens the card with the PIN that its holder chose',
    { timeout: TIMEOUT },
    async (way, act, decisive) => {
      await diesEverywhere({
        title: `unblock ${way}`,
        judged: 'the same command opens the card with the PIN that its holder chose, and with no other',
        act,
        card,
        before: () => block(held),
        after: () => opensAfterUnblock(held, act),
        sample: [decisive],
      });
    },
  );

  it('in a hand-over: the same command opens the card with the PIN that its holder chose', {
    timeout: TIMEOUT,
  }, async () => {
    await diesEverywhere({
      title: 'hand-over',
      judged:
        'the same command, with the hand-over code, opens the card with the PIN that its holder chose, and no other',
      act: handOver,
      card,
      before: () => seal(held),
      after: () => isHandedOver(held),
      sample: ['tpm.run.before#8', 'card.open.changePin.after'],
    });
  });

  it.each([
    ['same', renewSameKey, 'server.confirmRenewal.after'],
    ['new', renewNewKey, 'server.renew.after'],
  ] as const)(
    'in a renewal with the %s key: the card goes on, and the same command renews it once',
    { timeout: TIMEOUT },
    async (key, act, decisive) => {
      let due: BeforeRenewal;
      await diesEverywhere({
        title: `renewal with the ${key} key`,
        judged:
          'the card signs; the same command renewed; one certificate in force, one more in all, for the key in use',
        act,
        card,
        before: async () => {
          due = await makeDue(held);
        },
        after: () => isRenewed(held, act, key, due),
        sample: [decisive],
      });
    },
  );

  it('in the end of a card: the same command leaves nothing of it', { timeout: TIMEOUT }, async () => {
    let last: HeldCard | undefined;
    await diesEverywhere({
      title: 'end of a card, by its holder',
      judged: 'the same command left nothing in TPM and store; destroyed at the server; no certificate in force',
      act: destroy,
      card: () => last ?? held,
      before: async () => {
        last = last === undefined ? held : await heldCard(system, device);
      },
      after: () => isGoneAfterDestroy(last ?? held),
      sample: ['card.open.destroy.after'],
    });
  });

  it('in the end of a card by a task: the next round leaves nothing of it', { timeout: TIMEOUT }, async () => {
    let last: HeldCard;
    await diesEverywhere({
      title: 'end of a card, by a task',
      judged: 'the next round left nothing in TPM and store; destroyed at the server, the task done once',
      act: round,
      card: () => last,
      before: async () => {
        last = await heldCard(system, device);
        await retire(last);
      },
      after: () => isGoneAfterRound(last),
      sample: ['card.open.destroy.after'],
    });
  });
});
