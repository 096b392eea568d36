import { PassThrough } from 'node:stream';
import type { PinPolicy } from '@cardwright/protocol/pin';
import { describe, expect, it } from 'vitest';
import { linesOf } from './lines.stream.ts';
import { pinsFrom } from './pins.ts';

const policy: PinPolicy = {
  minLength: 6,
  maxLength: 12,
  uppercase: 'allowed',
  lowercase: 'allowed',
  digits: 'allowed',
  special: 'allowed',
  refuseSequences: true,
  refuseRepeats: true,
  refuseCommon: true,
};
const notes: string[] = [];
const from = (interactive: boolean, ...lines: string[]) => {
  const left = [...lines];
  return pinsFrom(
    async () => left.shift() ?? null,
    interactive,
    (note) => notes.push(note),
  );
};
const shown = (secret: { use<T>(work: (bytes: Uint8Array) => T): T }) => secret.use((b) => Buffer.from(b).toString());

describe('a PIN', () => {
  it('is one line for a script, and two equal ones at a keyboard', async () => {
    expect(shown(await from(false, '493817').choose('PIN', policy))).toBe('493817');
    expect(shown(await from(true, '493817', '493817').choose('PIN', policy))).toBe('493817');
    expect(shown(await from(true, '493817').enter('PIN'))).toBe('493817');
  });

  it('may be corrected at a keyboard, three times in all', async () => {
    expect(shown(await from(true, '123456', '493817', '493818', '493817', '493817').choose('PIN', policy))).toBe(
      '493817',
    );
    await expect(from(true, '1', '2', '3', '493817', '493817').choose('PIN', policy)).rejects.toMatchObject({
      code: 'pin-policy-too-short',
    });
  });

  it.each([
    [[], 'pin-missing'],
    [[''], 'pin-missing'],
    [['4938'], 'pin-policy-too-short'],
    [['123456'], 'pin-policy-sequence'],
    [['111111'], 'pin-policy-repeat'],
  ])('of a script is refused at once: %j as %s', async (lines, code) => {
    await expect(from(false, ...lines).choose('PIN', policy)).rejects.toMatchObject({ code });
  });

  it('has to be the same twice', async () => {
    const attempts = ['493817', '493818', '493817', '493818', '493817', '493818'];
    await expect(from(true, ...attempts).choose('PIN', policy)).rejects.toMatchObject({ code: 'pin-mismatch' });
  });

  it('is the same however its characters were composed', async () => {
    const composed = await from(false, 'caf\u00e9-9183').enter('PIN');
    const decomposed = await from(false, 'cafe\u0301-9183').enter('PIN');
    expect(shown(decomposed)).toBe(shown(composed));
  });

  it('is never in a refusal or a note', async () => {
    notes.length = 0;
    await expect(from(true, '121212', '121212', '121212').choose('PIN', policy)).rejects.toSatisfy(
      (error) => !String(error).includes('121212') && !JSON.stringify(error).includes('121212'),
    );
    expect(notes.join()).not.toContain('121212');
  });
});

describe('lines of standard input', () => {
  const lines = (...chunks: (string | Buffer)[]) => {
    const stream = new PassThrough();
    for (const chunk of chunks) stream.write(chunk);
    stream.end();
    return linesOf(stream);
  };

  it('come one at a time, however the bytes are cut', async () => {
    const source = lines('49', '38\r\nse', Buffer.from([0x63, 0xc3]), Buffer.from([0xa9, 0x0a]), '\nlast');
    const all = [];
    for (let line = await source.line(''); line !== null; line = await source.line('')) all.push(line);
    expect(all).toEqual(['4938', 'secé', '', 'last']);
  });

  it('have a longest', async () => {
    await expect(lines('x'.repeat(5000)).line('')).rejects.toMatchObject({ code: 'stdin-line-too-long' });
    await expect(lines(`${'x'.repeat(5000)}\n`).line('')).rejects.toMatchObject({ code: 'stdin-line-too-long' });
  });
});
