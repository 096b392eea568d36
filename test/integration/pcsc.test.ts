import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { openReaders } from '@cardwright/agent';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GidsCard, gidsCard } from '../support/gids-card.ts';
import { startPcscd, type TestPcscd } from '../support/pcscd.ts';
import { runFolder } from '../support/run-folder.ts';

/** The agent's own PC/SC client, with the real pcscd. What a broken service says: agent/pcsc/daemon.test.ts. */
const SELECT = Buffer.from('00A4040009A0000003974254465900', 'hex');
const ASK_ADMINISTRATOR = Buffer.from('00870000047C02810000', 'hex');
const ANSWER_OF_ADMINISTRATOR = Buffer.from('008700000C7C0A82080011223344556677', 'hex');
const READ_CARD_ID = Buffer.from('00CBA012045C02DF2000', 'hex');

describe('cards in the readers of pcscd', () => {
  let pcscd: TestPcscd;
  let card: GidsCard;
  beforeAll(async () => {
    pcscd = await startPcscd();
    card = gidsCard({
      file: join(mkdtempSync(join(runFolder(), 'card-')), 'card.json'),
      serial: randomBytes(16).toString('hex'),
      administratorKey: randomBytes(24),
      pin: '271828',
    });
    await card.insert(pcscd);
  });
  afterAll(async () => {
    card?.pull();
    await pcscd?.stop();
  });
  const reader = () => pcscd.readers[0];

  it('are found', async () => {
    const readers = await openReaders(pcscd.socket);
    const atr = new Uint8Array(Buffer.from('3B8D0180FBA000000397425446590401CF', 'hex'));
    expect(await readers.readers()).toEqual([
      { name: pcscd.readers[0], cardPresent: true, atr },
      { name: pcscd.readers[1], cardPresent: false, atr: new Uint8Array() },
    ]);
    await readers.close();
  });

  it('carry commands, one after the other', async () => {
    const readers = await openReaders(pcscd.socket);
    const answers = await readers.withCard(reader(), 'leave', async (channel) => [
      await channel.transmit(SELECT),
      await channel.transmit(READ_CARD_ID),
    ]);
    expect(answers.map((answer) => Buffer.from(answer).subarray(-2).toString('hex'))).toEqual(['9000', '9000']);
    expect(Buffer.from(answers[1] ?? []).toString('hex')).toContain(card.serial);
    await readers.close();
  });

  it('carry extended commands', async () => {
    const readers = await openReaders(pcscd.socket);
    const long = Buffer.concat([Buffer.from('00DBA0100007D0', 'hex'), Buffer.alloc(2000, 1)]);
    await readers.withCard(reader(), 'leave', (channel) => channel.transmit(long));
    expect(card.asked.at(-1)).toBe('db 6982');
    await readers.close();
  });

  it('are kept from others meanwhile, and from each other’s challenges afterwards', async () => {
    const [one, other] = [await openReaders(pcscd.socket), await openReaders(pcscd.socket)];
    const order: string[] = [];
    let second: Promise<void> | undefined;
    await one.withCard(reader(), 'reset', async (channel) => {
      second = other.withCard(reader(), 'leave', async () => {
        order.push('second');
      });
      await channel.transmit(SELECT);
      await channel.transmit(ASK_ADMINISTRATOR);
      order.push('first');
    });
    await second;
    expect(order).toEqual(['first', 'second']);
    // The challenge that was left open died with the reset: an answer finds none.
    const answer = await other.withCard(reader(), 'leave', (channel) => channel.transmit(ANSWER_OF_ADMINISTRATOR));
    expect(Buffer.from(answer).toString('hex')).toBe('6985');
    await Promise.all([one.close(), other.close()]);
  });

  it('are named when they are not there', async () => {
    const readers = await openReaders(pcscd.socket);
    const work = async () => undefined;
    await expect(readers.withCard('No Such Reader', 'leave', work)).rejects.toMatchObject({
      code: 'card-reader-unknown',
    });
    await expect(readers.withCard(pcscd.readers[1], 'leave', work)).rejects.toMatchObject({ code: 'card-absent' });
    await readers.close();
  });

  it('may be taken out in the middle', async () => {
    const readers = await openReaders(pcscd.socket);
    card.arm({ ins: 0xcb, when: 'before', what: 'pulled' });
    const asking = readers.withCard(reader(), 'reset', async (channel) => {
      await channel.transmit(SELECT);
      await channel.transmit(READ_CARD_ID);
    });
    await expect(asking).rejects.toMatchObject({ kind: 'unavailable', code: 'card-removed' });
    await card.insert(pcscd);
    await readers.withCard(reader(), 'leave', (channel) => channel.transmit(SELECT));
    await readers.close();
  });

  it('are gone with the service, and there again with it', async () => {
    const readers = await openReaders(pcscd.socket);
    await pcscd.kill();
    await pcscd.start();
    await expect(readers.readers()).rejects.toMatchObject({ kind: 'unavailable', code: 'pcsc-unavailable' });
    await readers.close();
    await card.insert(pcscd);
    const again = await openReaders(pcscd.socket);
    expect((await again.readers())[0]).toMatchObject({ cardPresent: true });
    await again.close();
  });
});
