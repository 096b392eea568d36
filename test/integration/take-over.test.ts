import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type CardInReader,
  DEFAULT_KEY,
  enrolledDevice,
  newGidsCard,
  pinIsResetInReader,
  registered,
} from '../support/cards-in-reader.ts';
import { type Device, newDevice } from '../support/device.ts';
import { foundOfKeys } from '../support/key-search.ts';
import { startPcscd, type TestPcscd } from '../support/pcscd.ts';
import { refusalOf } from '../support/run.ts';
import { startTestSystem, type TestSystem } from '../support/system.ts';
import { bothRecordsAgree } from '../support/vault-audit.ts';

/**
 * Cards that are not in the TPM get an administrator key that only the vault knows: cms, vault, agent, pcscd and vpcd as
 * they are, and a virtual GIDS card in a physical card's stead (test/integration/gids-card.test.ts shows that it is one).
 */
describe('the administrator key of a card in a reader', () => {
  let system: TestSystem;
  let device: Device;
  let pcscd: TestPcscd;
  let deviceId: string;
  /** Every administrator key that there was, and where it may be: nowhere else. */
  const keys = new Set<string>();
  let inReader: CardInReader | undefined;
  beforeAll(async () => {
    [system, device, pcscd] = await Promise.all([startTestSystem(), newDevice(), startPcscd()]);
    deviceId = await enrolledDevice(system, device);
  }, 120_000);
  afterEach(() => {
    if (inReader !== undefined) keys.add(inReader.card.administratorKey().toString('hex'));
    inReader?.card.pull();
    inReader = undefined;
  });
  afterAll(async () => {
    await pcscd?.stop();
    await device?.remove();
    await system?.remove();
  });

  async function put(one: CardInReader): Promise<CardInReader> {
    inReader = one;
    await one.card.insert(pcscd);
    return one;
  }
  const agent = (...args: string[]) => device.agent(args, { env: pcscd.env });
  const takeOver = ({ serial }: CardInReader, ...more: string[]) => agent('take-over', '--card', serial, ...more);
  const stateOf = async ({ id }: CardInReader) => (await system.as('auditor').get(`/cards/${id}`)).body.state;
  const changeOf = async ({ id }: CardInReader) =>
    (await system.as('security-officer').get(`/cards/${id}/administrator-key-changes`)).body.items[0];
  const gidsTool = async (key: Buffer) =>
    (await pcscd.tool('gids-tool', ['-U', '--admin-key', key.toString('hex'), '--pin', '314159'])).stdout;
  async function unblocks(one: CardInReader, formerKey: Buffer): Promise<void> {
    await pinIsResetInReader(system, pcscd, one);
    expect(await gidsTool(formerKey), 'with the former key').not.toContain('authentication successful');
  }
  /** Answers that the card refused. */
  const refusals = ({ card }: CardInReader) => card.asked.filter((line) => line === '87 6982').length;

  it('is taken over from the well-known default key, which then opens it no more', async () => {
    const one = await put(await registered(system, deviceId, newGidsCard(DEFAULT_KEY)));
    expect(await stateOf(one)).toBe('created');
    const verification = { method: 'video', evidence: 'seen' };
    const early = await system
      .as('helpdesk')
      .post(`/cards/${one.id}/unblock-sessions`, { verification, reason: 'forgot the PIN' });
    expect(early.body).toMatchObject({ status: 409, code: 'card-not-taken-over' });

    const ran = await takeOver(one, '--reader', pcscd.readers[0], '--json');
    expect(ran.exitCode, ran.stderr).toBe(0);
    expect(JSON.parse(ran.stdout)).toEqual({ serial: one.serial, keyVersion: 2 });
    expect(await stateOf(one)).toBe('active');
    expect(await changeOf(one)).toMatchObject({ kind: 'take-over', state: 'confirmed', fromVersion: 1, toVersion: 2 });
    expect(refusals(one)).toBe(0);
    await unblocks(one, DEFAULT_KEY);
    expect(refusalOf(await takeOver(one))).toBe('task-missing');
  });

  it('is changed again after suspicion, by the service, and the former one is worth nothing', async () => {
    const initial = randomBytes(24);
    keys.add(initial.toString('hex'));
    const one = await put(await registered(system, deviceId, newGidsCard(initial)));
    expect((await agent('run', '--once')).exitCode).toBe(0);
    const second = one.card.administratorKey();
    keys.add(second.toString('hex'));
    expect(second.equals(initial)).toBe(false);

    const asked = { cause: 'suspicion', reason: 'a backup of the old system was stolen', ticket: 'INC-7' };
    const made = await system.as('security-officer').post(`/cards/${one.id}/administrator-key-changes`, asked);
    expect(made.body, JSON.stringify(made.body)).toMatchObject({ kind: 'replacement', state: 'requested' });
    expect((await agent('run', '--once')).exitCode).toBe(0);
    expect(await changeOf(one)).toMatchObject({ state: 'confirmed', fromVersion: 2, toVersion: 3 });
    expect(one.card.administratorKey().equals(second)).toBe(false);
    await unblocks(one, second);
  });

  it('may be an AES key', async () => {
    const card = newGidsCard(randomBytes(32), 'aes');
    const one = await put(await registered(system, deviceId, card, { algorithm: 'aes-256' }));
    expect(refusalOf(await takeOver(one))).toBeNull();
    expect(card.administratorKey()).toHaveLength(32);
    await pinIsResetInReader(system, pcscd, one);
  });

  it('is not touched while the card is elsewhere, another one is in the reader, or there is no reader', async () => {
    const one = await registered(system, deviceId, newGidsCard(DEFAULT_KEY));
    expect(refusalOf(await takeOver(one))).toBe('card-not-in-reader');
    const other = newGidsCard(DEFAULT_KEY);
    await put({ ...one, card: other });
    expect(refusalOf(await takeOver(one, '--reader', pcscd.readers[0]))).toBe('another-card-in-reader');
    expect(refusalOf(await takeOver(one))).toBe('card-not-in-reader');
    expect(refusalOf(await takeOver(one, '--reader', 'None 00 00'))).toBe('card-reader-unknown');
    expect(other.asked.filter((line) => line.startsWith('87'))).toEqual([]);
    const alone = await device.agent(['take-over', '--card', one.serial], {
      env: { PCSCLITE_CSOCK_NAME: '/nonexistent/pcscd.comm' },
    });
    expect(refusalOf(alone)).toBe('pcsc-unavailable');
    // No key was made for it: the change can still be called off.
    expect(await changeOf(one)).toMatchObject({ state: 'requested', toVersion: null });
    // Nor is it anything wrong for the service, which looks again at the next check-in.
    expect((await agent('run', '--once')).exitCode).toBe(0);
  });

  it('is found out when the card was pulled out just after the change, or before it', async () => {
    for (const when of ['after', 'before'] as const) {
      const one = await put(await registered(system, deviceId, newGidsCard(DEFAULT_KEY)));
      one.card.arm({ ins: 0xdb, when, what: 'pulled' });
      expect(refusalOf(await takeOver(one))).toBe('card-removed');
      expect(one.card.administratorKey().equals(DEFAULT_KEY)).toBe(when === 'before');
      expect(await changeOf(one)).toMatchObject({ state: 'offered' });
      await one.card.insert(pcscd);
      expect(refusalOf(await takeOver(one))).toBeNull();
      // The likelier key is asked for first: with the key changed no answer is wrong, without it one is.
      expect(refusals(one)).toBe(when === 'after' ? 0 : 1);
      await unblocks(one, DEFAULT_KEY);
      one.card.pull();
    }
  });

  it('is changed although pcscd was restarted in between', async () => {
    const one = await put(await registered(system, deviceId, newGidsCard(DEFAULT_KEY)));
    let restarted: Promise<void> | undefined;
    one.card.arm({ ins: 0xdb, when: 'after', what: () => (restarted = pcscd.kill().then(() => pcscd.start())) });
    expect(['pcsc-unavailable', 'card-removed']).toContain(refusalOf(await takeOver(one)));
    await restarted;
    await one.card.insert(pcscd);
    expect(refusalOf(await takeOver(one))).toBeNull();
    await unblocks(one, DEFAULT_KEY);
  });

  it('that is not the registered one costs two answers, and no more ever', async () => {
    const card = newGidsCard(randomBytes(24));
    const truth = card.administratorKey();
    const wrong = { ...card, administratorKey: () => DEFAULT_KEY };
    const one = await put({ ...(await registered(system, deviceId, wrong)), card });
    const ran = await takeOver(one);
    expect(refusalOf(ran)).toBe('card-refused-both-keys');
    expect(ran.stderr.match(/The card refused the answer/g)).toHaveLength(2);
    expect(refusals(one)).toBe(2);
    expect(refusalOf(await takeOver(one))).toBe('task-missing');
    expect((await agent('run', '--once')).exitCode).toBe(0);
    expect(refusals(one)).toBe(2);
    expect(card.administratorKey().equals(truth)).toBe(true);
    expect(await stateOf(one)).toBe('created');
  });

  it('was in nothing that cms or the agent wrote, nor in the memory of cms', async () => {
    expect(keys.size).toBeGreaterThan(5);
    keys.delete(DEFAULT_KEY.toString('hex'));
    expect(
      await foundOfKeys(
        system,
        device,
        [...keys].map((key) => Buffer.from(key, 'hex')),
      ),
    ).toEqual([]);
  });

  it('and the two records agree', () => bothRecordsAgree(system));
});
