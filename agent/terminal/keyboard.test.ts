import { describe, expect, it } from 'vitest';
import { HiddenLineEditor } from './keyboard.ts';

const typed = (...keys: string[]) => {
  const editor = new HiddenLineEditor();
  for (const key of keys) {
    const result = editor.type(key);
    if (result.done) return result.end === 'line' ? result.line : result.end;
  }
  return 'waiting';
};

describe('a hidden line', () => {
  it.each([
    [['4938', '17\r'], '493817'],
    [['4938\n'], '4938'],
    [['pä€😀\r'], 'pä€😀'],
    [['49x\u007f38\r'], '4938'],
    [['49😀\u0008\r'], '49'],
    [['\u007f\u007f49\r'], '49'],
    [['wrong\u0015right\r'], 'right'],
    [['49', '38'], 'waiting'],
    [['4\u001b[D9\u001bOP\u001b[1;5C3\r'], '493'],
    [['4\u001b', '[', '3~9\r'], '49'],
    [['4\t\u00009\u009b\r'], '49'],
    [['\u0004'], 'input'],
    [['49\u0004\r'], '49'],
    [['49\u0003'], 'interrupt'],
    // Not even in the middle of an escape sequence can the terminal be held.
    [['\u001b[\u0003'], 'interrupt'],
    [['49\u001b[\r'], '49'],
  ])('%j gives %j', (keys, result) => {
    expect(typed(...keys)).toBe(result);
  });

  it('has an end', () => {
    expect(typed('x'.repeat(100_000), '\r')).toHaveLength(512);
  });
});
