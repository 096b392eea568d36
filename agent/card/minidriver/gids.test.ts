import { Secret } from '@cardwright/protocol';
import { describe, expect, it } from 'vitest';
import type { ApduChannel, Bytes } from '../../pcsc/port.ts';
import { checkValueOf, gidsCard, readCardId } from './gids.ts';
import type { KeyAlgorithm } from './port.ts';

/** What goes over the wire, byte by byte. Against a card, with OpenSC as the judge: test/integration/take-over.test.ts. */
const bytes = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const key = '0102030405060708'.repeat(3);

function card(...answers: string[]): ApduChannel & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    transmit: async (command: Bytes) => {
      asked.push(Buffer.from(command).toString('hex'));
      return bytes(answers[asked.length - 1] ?? '6f00');
    },
  };
}

describe('the id of a card', () => {
  const id = '00112233445566778899aabbccddeeff';

  it('is read', async () => {
    const channel = card('61124f0b 9000', `df2010${id} 9000`);
    expect(await readCardId(channel)).toEqual(bytes(id));
    expect(channel.asked).toEqual(['00a4040009a0000003974254465900', '00cba012045c02df2000']);
  });

  it.each([
    ['no GIDS application', ['6a82']],
    ['no id', ['9000', '6a88']],
    ['an id of another length', ['9000', 'df20020011 9000']],
    ['another object', ['9000', `df2110${id} 9000`]],
  ])('is not known of a card with %s', async (_, answers) => {
    expect(await readCardId(card(...answers))).toBeUndefined();
  });

  it('that is cut short is said to be', async () => {
    await expect(readCardId(card('9000', 'df201000 9000'))).rejects.toMatchObject({ code: 'card-answer-malformed' });
  });
});

describe('a challenge', () => {
  it('is asked for after the key was chosen', async () => {
    const channel = card('9000', '7c0a8108 0123456789abcdef 9000');
    expect(await gidsCard(channel).challenge('tdes')).toEqual(bytes('0123456789abcdef'));
    expect(channel.asked).toEqual(['0022c1a403830180', '00870000047c02810000']);
  });

  it.each<[KeyAlgorithm, string]>([
    ['tdes', `7c128110${'00'.repeat(16)}`],
    ['aes-256', `7c0a8108${'00'.repeat(8)}`],
  ])('that is none for %s is refused', async (algorithm, answer) => {
    const asking = gidsCard(card('9000', `${answer}9000`)).challenge(algorithm);
    await expect(asking).rejects.toMatchObject({ code: 'card-challenge-unfit' });
  });

  it.each([[['6a88']], [['9000', '6985']]])('that is not given is said to be: %j', async (answers) => {
    const asking = gidsCard(card(...answers)).challenge('tdes');
    await expect(asking).rejects.toMatchObject({ kind: 'unprocessable', code: 'card-refused' });
  });
});

describe('an answer', () => {
  it('is given', async () => {
    const channel = card('9000');
    await gidsCard(channel).authenticate(bytes('19c7588f0c2b7383'));
    expect(channel.asked).toEqual(['008700000c7c0a820819c7588f0c2b738300']);
  });

  it.each([
    ['6982', 'unprocessable', 'answer-refused-by-card'],
    ['63c2', 'unprocessable', 'answer-refused-by-card'],
    ['6983', 'conflict', 'administrator-key-blocked'],
    ['6985', 'unprocessable', 'card-refused'],
  ])('that the card meets with %s', async (answer, kind, code) => {
    await expect(gidsCard(card(answer)).authenticate(bytes('00'))).rejects.toMatchObject({ kind, code });
  });

  it('that the card counts says how many are left', async () => {
    await expect(gidsCard(card('63c2')).authenticate(bytes('00'))).rejects.toMatchObject({ data: { triesLeft: 2 } });
  });
});

describe('another administrator key', () => {
  it.each<[KeyAlgorithm, string, string, string]>([
    ['tdes', key, '26 7024 840180 a51f 8718', 'b073dc'],
    ['aes-128', '000102030405060708090a0b0c0d0e0f', '1e 701c 840180 a517 8710', 'c6a13b'],
  ])('of %s is put with its check value', async (algorithm, value, start, check) => {
    const channel = card('9000');
    await gidsCard(channel).changeAdministratorKey(Secret.take(bytes(value)), algorithm);
    const head = `00db3fff${start.replaceAll(' ', '')}`;
    expect(channel.asked[0]?.startsWith(`${head}${value}8803`)).toBe(true);
    // B073DC: card-protocols, of the well-known default key. Of AES-128: `openssl enc -aes-128-ecb` of a zero block.
    expect(channel.asked[0]?.slice(-6)).toBe(check);
  });

  it('that the card does not take is said to be', async () => {
    const changing = gidsCard(card('6982')).changeAdministratorKey(Secret.take(bytes(key)), 'tdes');
    await expect(changing).rejects.toMatchObject({ kind: 'unprocessable', code: 'key-refused-by-card' });
  });

  it('of the wrong length is never sent', async () => {
    const channel = card('9000');
    const changing = gidsCard(channel).changeAdministratorKey(Secret.take(bytes(key)), 'aes-128');
    await expect(changing).rejects.toThrow(RangeError);
    expect(channel.asked).toEqual([]);
    expect(checkValueOf(Secret.take(bytes(key)), 'aes-128')).toBeUndefined();
  });

  it('is known by its check value', () => {
    expect(checkValueOf(Secret.take(bytes(key)), 'tdes')).toBe('B073DC');
  });
});
