import { describe, expect, it } from 'vitest';
import { MAX_LINES, readList } from './list-file.ts';

const values = (text: string) => readList(text).map(({ kind, value }) => `${kind} ${value}`);
const THUMBPRINT = 'ab'.repeat(32);

describe('a list of certificates', () => {
  it('takes serial numbers and thumbprints as other programs write them', () => {
    expect(values('5f0c3d9a')).toEqual(['serial-number 5f0c3d9a']);
    expect(values('00:5F:0C:3D:9A')).toEqual(['serial-number 5f0c3d9a']);
    expect(values('0x05F0C')).toEqual(['serial-number 5f0c']);
    expect(values('f')).toEqual(['serial-number 0f']);
    expect(values('00')).toEqual(['serial-number 00']);
    expect(values(THUMBPRINT.toUpperCase())).toEqual([`thumbprint ${THUMBPRINT}`]);
    expect(values(THUMBPRINT.match(/../g)?.join(':') ?? '')).toEqual([`thumbprint ${THUMBPRINT}`]);
  });

  it('takes the first column of CSV, and keeps the numbers of the lines', () => {
    const text = '\ufeffSerial Number;note\r\n"aa";x\n\n# a remark\nbb,y\tz\rcc\tw';
    expect(readList(text)).toEqual([
      { number: 2, kind: 'serial-number', value: 'aa' },
      { number: 5, kind: 'serial-number', value: 'bb' },
      { number: 6, kind: 'serial-number', value: 'cc' },
    ]);
  });

  it('tells of what is neither, and does nothing with it', () => {
    for (const line of [
      '=1+1',
      'g',
      'ab'.repeat(22),
      `${THUMBPRINT}0`,
      '"unclosed',
      '-1',
      "'; DROP TABLE certificates",
    ]) {
      expect(readList(line)[0]?.kind, line).toBe('malformed');
    }
    expect(readList(`x\u0000${'y'.repeat(500)}`)[0]?.value).toMatch(/^xy{98}$/);
    // A second heading is none.
    expect(readList('aa\nserial').map(({ kind }) => kind)).toEqual(['serial-number', 'malformed']);
  });

  it('has a beginning and an end', () => {
    const codeOf = (text: string) => {
      try {
        return readList(text).length;
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect(codeOf('\n#\nserialNumber\n')).toBe('list-empty');
    expect(codeOf('aa\n'.repeat(MAX_LINES))).toBe(MAX_LINES);
    expect(codeOf('aa\n'.repeat(MAX_LINES + 1))).toBe('list-too-long');
  });
});
