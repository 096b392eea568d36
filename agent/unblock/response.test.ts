import { createHash, randomBytes } from 'node:crypto';
import { encodeLines, packResponse } from '@cardwright/protocol/challenge';
import { describe, expect, it } from 'vitest';
import type { LineSource } from '../terminal/port.ts';
import { challengeBytes, readResponse } from './response.ts';
import { typedResponse } from './typed-response.ts';

const serial = 'CW-7K3M-92QF';
const random = (length: number) => new Uint8Array(randomBytes(length));
const challenge = challengeBytes(serial, { resetNonce: random(16), writeNonce: random(16) });
const tag = (of: string | Uint8Array) => new Uint8Array(createHash('sha256').update(of).digest().subarray(0, 2));
const response = (cardTag: Uint8Array, challengeTag: Uint8Array) =>
  encodeLines(packResponse({ cardTag, challengeTag, resetAnswer: random(32), writeAnswer: random(32) }));
const good = response(tag(serial), tag(challenge));

describe('a response', () => {
  it('is read', () => {
    expect(readResponse(good.join('\n'), serial, challenge).resetAnswer).toHaveLength(32);
  });

  it('of another card, of another challenge, or mistyped is told apart', () => {
    const refused = (lines: string[]) => expect(() => readResponse(lines.join('\n'), serial, challenge));
    const code = (name: string) => expect.objectContaining({ code: name });
    refused(response(tag('CW-AAAA-AAAA'), tag(challenge))).toThrow(code('response-for-another-card'));
    refused(response(tag(serial), tag('earlier'))).toThrow(code('response-for-another-challenge'));
    const [first = '', ...rest] = good;
    refused([first, ...rest.slice(0, -1)]).toThrow(code('response-mistyped'));
    refused([first.startsWith('0') ? `1${first.slice(1)}` : `0${first.slice(1)}`, ...rest]).toThrow(
      expect.objectContaining({ code: 'response-mistyped', data: { line: 1 } }),
    );
  });
});

describe('a response that is typed', () => {
  const source = (interactive: boolean, lines: readonly string[]): LineSource => {
    const left = [...lines];
    return { interactive, line: async () => left.shift() ?? null, close: () => undefined };
  };
  const notes: string[] = [];
  const output = { print: () => undefined, note: (text: string) => notes.push(text) };

  it('may have a line wrong, which is asked for again at once', async () => {
    const wrong = good.toSpliced(1, 0, '0000 0000 0000 0000 0000', '');
    const text = await typedResponse(source(true, wrong), output);
    expect(readResponse(text, serial, challenge)).toBeDefined();
    expect(notes).toHaveLength(1);
    expect(notes[0]).toContain('Line 2');
  });

  it('is taken from a script in any lines', async () => {
    for (const lines of [good, [good.join(' ')], ['', ...good, 'left over']]) {
      const text = await typedResponse(source(false, lines), output);
      expect(readResponse(text, serial, challenge)).toBeDefined();
    }
  });

  it('is missing when the input ends', async () => {
    await expect(typedResponse(source(true, good.slice(0, 2)), output)).rejects.toMatchObject({
      code: 'response-missing',
    });
    await expect(typedResponse(source(false, []), output)).rejects.toMatchObject({ code: 'response-missing' });
  });
});
