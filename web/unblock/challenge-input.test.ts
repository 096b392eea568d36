import { encodeLines } from '@cardwright/protocol/challenge';
import { describe, expect, it } from 'vitest';
import { challengeFormatOf, checkLine, isComplete, retype } from './challenge-input.ts';

const tpm = challengeFormatOf({ kind: 'tpm', algorithm: 'hmac-sha256' });
const tdes = challengeFormatOf({ kind: 'minidriver', algorithm: 'tdes' });
const bytes = Uint8Array.from({ length: 35 }, (_, index) => (index * 37 + 1) & 255);
const lines = encodeLines(bytes);

describe('the challenge of a TPM card', () => {
  it('has three lines, each judged alone', () => {
    expect(tpm.lengths).toEqual([20, 20, 19]);
    expect(lines.map((line, index) => checkLine(tpm, index, line))).toEqual(lines.map(() => ({ state: 'right' })));
    expect(isComplete(tpm, lines)).toBe(true);
  });

  it('is not complete with a line that is wrong, missing or in another place', () => {
    const [first = '', second = '', third = ''] = lines;
    expect(isComplete(tpm, [first, second, ''])).toBe(false);
    expect(isComplete(tpm, [second, first, third])).toBe(false);
    const spoilt = (first.startsWith('2') ? '3' : '2') + first.slice(1);
    expect(checkLine(tpm, 0, spoilt)).toMatchObject({ state: 'wrong' });
    expect(isComplete(tpm, [spoilt, second, third])).toBe(false);
  });

  it('is only partial while it is typed, unless a character can never be right', () => {
    expect(checkLine(tpm, 0, '')).toEqual({ state: 'empty' });
    expect(checkLine(tpm, 0, (lines[0] ?? '').slice(0, 9))).toMatchObject({ state: 'partial' });
    expect(checkLine(tpm, 0, '01U')).toEqual({
      state: 'wrong',
      detail: 'character 3 (U) is never part of a challenge',
    });
  });
});

describe('the challenge of a minidriver card', () => {
  it('is one block in hex', () => {
    expect(checkLine(tdes, 0, '1603 EBDF 1C8A 2E72')).toEqual({ state: 'right' });
    expect(checkLine(tdes, 0, '1603 EB')).toMatchObject({ state: 'partial' });
    expect(checkLine(tdes, 0, '1603 EBDG')).toMatchObject({ state: 'wrong' });
    expect(isComplete(tdes, ['1603ebdf1c8a2e72'])).toBe(true);
    expect(isComplete(tdes, ['1603ebdf1c8a2e'])).toBe(false);
  });
});

describe('typing', () => {
  it('keeps groups at the end and leaves a change in the middle alone', () => {
    expect(retype(tpm, ['7K3M', '', ''], 0, '7K3M9')).toEqual(['7K3M 9', '', '']);
    expect(retype(tpm, ['7K3M 9', '', ''], 0, '7K3M ')).toEqual(['7K3M', '', '']);
    expect(retype(tpm, ['7K3M 9', '', ''], 0, '7KM 9')).toEqual(['7KM 9', '', '']);
  });

  it('lets a paste of everything flow into its lines', () => {
    expect(retype(tpm, ['', '', ''], 0, lines.join(' ').toLowerCase())).toEqual(lines);
  });

  it('keeps what is too much in the last line, where it is seen to be wrong', () => {
    const pasted = retype(tpm, ['', '', ''], 0, `${lines.join('')}00`);
    expect(checkLine(tpm, 2, pasted[2] ?? '')).toMatchObject({ state: 'wrong' });
  });
});
