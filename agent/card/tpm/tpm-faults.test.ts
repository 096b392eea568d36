import { isDomainError, Secret } from '@cardwright/protocol';
import { type Bytes, u32 } from '@cardwright/protocol/tpm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Meddled, type Meddling, openMeddled, refusing, turned } from '../../tpm/testing/meddling.socket.ts';
import { type SoftwareTpm, startSoftwareTpm } from '../../tpm/testing/software-tpm.process.ts';
import type { CardMaker } from '../port.ts';
import { type MadeCard, makeCard, prepareCard } from '../testing/make-card.ts';
import { tpmCardMaker } from './index.ts';

/**
 * A TPM that fails, at each command of each act in turn (power-loss.test.ts has the one that disappears). Afterwards: the act says why by a stable code, the card has a PIN
 * that its holder knows, and the next act works.
 */
const secret = (text: string) => Secret.fromText(text);
const OLD = '141421';
const NEW = '173205';

let device: SoftwareTpm;
let meddled: Meddled;
let maker: CardMaker;
beforeAll(async () => {
  device = await startSoftwareTpm();
  await open();
});
afterAll(async () => {
  await maker.close();
  await device.stop();
});

async function open(): Promise<void> {
  meddled = await openMeddled(device.tcti);
  maker = tpmCardMaker(meddled.tpm);
}

interface Scene {
  readonly made: MadeCard;
  readonly key: Bytes;
}

const sign = ({ made, key }: Scene, pin: string) =>
  made.card.sign({ key, hash: 'sha256', digest: new Uint8Array(32), pin: secret(pin) });

/** What the card's holder finds: which PIN opens it. */
async function opensWith(scene: Scene): Promise<string> {
  const found: string[] = [];
  for (const pin of [OLD, NEW]) {
    const code = await sign(scene, pin).then(
      () => 'opens',
      (error: { code: string }) => error.code,
    );
    if (code === 'opens') found.push(pin);
    else if (code !== 'pin-wrong') found.push(code);
  }
  return found.join(' and ');
}

async function finished(): Promise<Scene> {
  const made = await makeCard(maker, OLD);
  return { made, key: await maker.makeKey(made.record, 'ec-p256') };
}

interface Act {
  readonly prepare: () => Promise<Scene>;
  readonly act: (scene: Scene) => Promise<unknown>;
  /** What may be found afterwards. */
  readonly leaves: readonly string[];
}

const ACTS: Readonly<Record<string, Act>> = {
  'a signature': { prepare: finished, act: (scene) => sign(scene, OLD), leaves: [OLD] },
  'a change of the PIN': {
    prepare: finished,
    act: ({ made }) => made.card.changePin(secret(OLD), secret(NEW), made.vault.approveSelfChange(made.record.slot)),
    leaves: [OLD, NEW],
  },
  'a reset of the PIN': {
    prepare: finished,
    act: async ({ made }) => {
      const challenge = await made.card.challenge();
      try {
        await challenge.finish(made.vault.answerReset(made.record.slot, challenge, 5), secret(NEW));
      } finally {
        await challenge.abandon();
      }
    },
    leaves: [OLD, NEW],
  },
  'the making of a key': {
    prepare: finished,
    act: ({ made }) => maker.makeKey(made.record, 'ec-p256'),
    leaves: [OLD],
  },
  'the making of a card': {
    prepare: async () => {
      const made = await prepareCard(maker, OLD);
      await maker.discard(made.record.slot, made.vault.name);
      return { made, key: await maker.makeKey(made.record, 'ec-p256') };
    },
    act: async ({ made: { record, vault } }) => {
      await maker.prepare(record.slot, vault.name, secret(OLD));
      const challenge = await maker.firstWriteChallenge(record);
      try {
        await challenge.finish(vault.answerFirstWrite(record.slot, challenge.nonce, 5));
      } finally {
        await challenge.abandon();
      }
    },
    leaves: [OLD, 'card-missing and card-missing', 'card-altered and card-altered'],
  },
  'the end of a card': {
    prepare: finished,
    act: ({ made }) => made.card.destroy(),
    leaves: [OLD, 'card-missing and card-missing'],
  },
};

const MALFORMED = ['tpm-response-malformed', 'tpm-response-forged'];
/** What the agent may make of a response that says something else: it is never a crash, and never another PIN. */
const ALTERED = [
  ...MALFORMED,
  'tpm-busy',
  'tpm-refused',
  'tpm-session-lost',
  'tpm-owner-password-set',
  'card-of-another-device',
  'card-altered',
  'card-missing',
  'card-not-prepared',
  'slot-taken',
  'pin-wrong',
  'key-blob-refused',
  'key-of-another-card',
  'response-refused-by-card',
  'self-change-refused-by-card',
];

function resized(response: Bytes): Bytes {
  return Uint8Array.from([...response.slice(0, 2), ...u32(response.length), ...response.slice(6)]);
}

interface Fault {
  readonly answer?: () => Bytes;
  readonly response?: (response: Bytes) => Bytes;
  /** How often in a row it strikes; once if not said. */
  readonly times?: number;
  /** At these commands only. */
  readonly only?: readonly number[];
}

/** Strikes from the command of that number on, counted from 0. */
function strikingAt(number: number, { answer, response, times = 1 }: Fault) {
  let passed = 0;
  const struck = () => {
    const at = passed++;
    return at >= number && at < number + times;
  };
  const meddling: Meddling = {
    ...(answer === undefined ? {} : { answer: () => (struck() ? answer() : undefined) }),
    ...(response === undefined ? {} : { response: (whole) => (struck() ? response(whole) : whole) }),
  };
  return { meddling, reached: () => passed > number };
}

/** Runs the act with the fault at its first command, its second and so on, until it has no more commands. */
async function everywhere(
  { prepare, act, leaves }: Act,
  fault: Fault,
  expected: readonly string[],
  after: 'same' | 'anew',
): Promise<number> {
  for (let number = 0; ; number++) {
    expect(number).toBeLessThan(60);
    if (fault.only !== undefined && number > Math.max(...fault.only)) return number;
    if (fault.only?.includes(number) === false) continue;
    await maker.close();
    await open();
    let scene = await prepare();
    await maker.close();
    await open();
    scene = { ...scene, made: { ...scene.made, card: maker.open(scene.made.record) } };
    const { meddling, reached } = strikingAt(number, fault);
    meddled.meddle(meddling);
    const code = await act(scene).then(
      () => 'done',
      (error: unknown) => (isDomainError(error) ? error.code : `not a refusal of ours: ${error}`),
    );
    meddled.meddle({});
    const over = !reached();
    expect([...expected, 'done'], `at command ${number}`).toContain(code);
    if (after === 'anew') {
      await maker.close();
      await open();
      scene = { ...scene, made: { ...scene.made, card: maker.open(scene.made.record) } };
    }
    expect(leaves, `at command ${number}, after ${code}`).toContain(await opensWith(scene));
    await maker.discard(scene.made.record.slot, scene.made.vault.name);
    if (over) return number;
  }
}

/** TPM_RC of the warnings by which a TPM says that it did not do the command yet. */
const LATER = [0x908, 0x90a, 0x920, 0x922, 0x923];

describe.each(Object.entries(ACTS))('%s', (_, act) => {
  test.each([
    ['0x902', 0x902, 'tpm-busy'],
    ['0x921', 0x921, 'tpm-locked-out'],
    ['0x101', 0x101, 'tpm-failed'],
  ])('refused with %s at any one command: the same agent goes on afterwards', async (_, rc, code) => {
    const commands = await everywhere(act, { answer: () => refusing(rc) }, [code], 'same');
    expect(commands).toBeGreaterThan(2);
  });

  test('0x908, 0x90a, 0x920, 0x922, 0x923 (try again) at any one command: it is done all the same', async () => {
    const commands = await everywhere(act, { answer: () => refusing(0x922), times: 3 }, [], 'same');
    expect(commands).toBeGreaterThan(2);
    for (const rc of LATER)
      await everywhere(act, { answer: () => refusing(rc), times: 1, only: [commands - 2] }, [], 'same');
  });

  test('0x922 for ever at any one command: it is given up', async () => {
    await everywhere(act, { answer: () => refusing(0x922), times: Number.POSITIVE_INFINITY }, ['tpm-busy'], 'anew');
  });

  test.each<[string, (response: Bytes) => Bytes, readonly string[]]>([
    ['cut short', (response) => resized(response.slice(0, -1)), MALFORMED],
    ['too long', (response) => resized(Uint8Array.from([...response, 0])), MALFORMED],
    ['with another tag', (response) => turned(response, 1, 3), ['tpm-response-malformed']],
    ['changed in its last byte', (response) => turned(response, -1), ALTERED],
  ])('a response %s, at any one command', async (_, response, codes) => {
    const commands = await everywhere(act, { response }, codes, 'anew');
    expect(commands).toBeGreaterThan(2);
  });
});
