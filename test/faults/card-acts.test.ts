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
  opensAfterUnblock,
  pointsOf,
  unblockByPhone,
  unblockOnline,
} from '../support/card-acts-faults.ts';
import { type Device, newDevice } from '../support/device.ts';
import { startTestSystem, type TestSystem } from '../support/system.ts';

/**
 * kill -9 of the agent at each of its points in what a card's holder does: before and after every request, every call of
 * the card and every single TPM command, and at each stage of each write of the store (agent/faults.ts).
 * CARDWRIGHT_FAULTS=whole dies at all of them, counting up until the act ends by itself; `npm test` at a few.
 */
const whole = process.env.CARDWRIGHT_FAULTS === 'whole';
/** One card asks the vault hundreds of times here. */
const OFTEN = { VAULT_LIMIT_PER_CARD: '100000', VAULT_LIMIT_PER_REQUESTER: '100000', VAULT_LIMIT_IN_ALL: '100000' };

describe('the agent dies', () => {
  let system: TestSystem;
  let device: Device;
  beforeAll(async () => {
    system = await startTestSystem({ environment: { vault: OFTEN } });
    device = await newDevice();
  }, 120_000);
  afterAll(async () => {
    await device?.remove();
    await system?.remove();
  });

  /**
   * `few`: where `npm test` has it die, as shares of the points there are; the decisive commands are among the last.
   * `before` makes ready for each death, `after` looks at what is left and puts it right.
   */
  async function diesEverywhere(
    act: CardAct,
    few: readonly number[],
    card: () => HeldCard,
    before: () => Promise<void>,
    after: () => Promise<void>,
  ): Promise<void> {
    await before();
    const points = await pointsOf(card(), act);
    await after();
    const chosen = whole
      ? Array.from({ length: points.length * 2 }, (_, at) => at + 1)
      : few.map((share) => Math.floor(points.length * share));
    let deaths = 0;
    for (const at of chosen) {
      await before();
      const ran = await act(card(), { CARDWRIGHT_FAULT_AT: String(at) });
      if (ran.signal !== 'SIGKILL') {
        // How often a server is asked for an answer differs, so that the act may end a point or two earlier or later.
        expect(ran.exitCode, `${at}: ${ran.stderr}`).toBe(0);
        expect(at).toBeGreaterThan(points.length - 6);
        await after();
        break;
      }
      deaths++;
      try {
        await after();
      } catch (cause) {
        throw new Error(`died at point ${at} of ${points.length}, about ${points[at - 1]}`, { cause });
      }
    }
    expect(deaths).toBeGreaterThanOrEqual(whole ? points.length - 6 : few.length);
    console.log(`${act.name}: died at ${deaths} of ${points.length} points`);
  }

  it('in a change of the PIN: the old one holds or the new one', { timeout: 900_000 }, async () => {
    const card = await heldCard(system, device);
    await diesEverywhere(
      changePin,
      [0.5, 0.8, 0.95],
      () => card,
      async () => undefined,
      () => hasOneKnownPin(card),
    );
    await destroy(card, {});
  });

  it.each([
    ['by phone', unblockByPhone, [0.7, 0.9]],
    ['online', unblockOnline, [0.85]],
  ] as const)(
    'in an unblock %s: the same command opens the card with the PIN that its holder chose',
    { timeout: 1_800_000 },
    async (_, act, few) => {
      const card = await heldCard(system, device);
      await diesEverywhere(
        act,
        few,
        () => card,
        () => block(card),
        () => opensAfterUnblock(card, act),
      );
      await destroy(card, {});
    },
  );

  it('in the end of a card: the same command leaves nothing of it', { timeout: 1_800_000 }, async () => {
    let card: HeldCard;
    await diesEverywhere(
      destroy,
      [0.6, 0.9],
      () => card,
      async () => {
        card = await heldCard(system, device);
      },
      () => isGoneAfterDestroy(card),
    );
  });
});
