import { isDomainError } from '@cardwright/protocol';
import { describe, expect, it } from 'vitest';
import { flag, parseOptions, required, text } from './arguments.ts';

const specs = { code: required('CODE', 'the code'), store: text('DIR', 'where'), json: flag('JSON') };

function refusal(argv: string[]): { code: string; detail: string } {
  try {
    parseOptions(specs, argv);
  } catch (error) {
    if (isDomainError(error)) return { code: error.code, detail: error.detail };
  }
  throw new Error('it was taken');
}

describe('options', () => {
  it('are read in both forms, and absent ones are told apart', () => {
    expect(parseOptions(specs, ['--code', 'A', '--json'])).toEqual({ code: 'A', store: undefined, json: true });
    expect(parseOptions(specs, ['--code=A', '--store=--odd'])).toEqual({ code: 'A', store: '--odd', json: false });
  });

  it.each([
    [['--code', 'A', '--nope'], 'option-unknown'],
    [['--code', 'A', '--__proto__=1'], 'option-unknown'],
    [['--code', 'A', '--toString'], 'option-unknown'],
    [['--code', 'A', '-x'], 'option-unknown'],
    [[], 'option-missing'],
    [['--code'], 'option-needs-value'],
    [['--code='], 'option-needs-value'],
    [['--code', '--json'], 'option-needs-value'],
    [['--code', 'x'.repeat(5000)], 'option-needs-value'],
    [['--code', 'A', '--code', 'B'], 'option-repeated'],
    [['--code', 'A', '--json=yes'], 'option-takes-no-value'],
    [['--code', 'A', 'stray'], 'argument-unexpected'],
    [['--code', 'A', '--', 'stray'], 'argument-unexpected'],
    [['--code', 'A', '--pin=493817'], 'pin-on-command-line'],
    [['--code', 'A', '--new-pin', '493817'], 'pin-on-command-line'],
  ])('%j is refused as %s', (argv, code) => {
    expect(refusal(argv).code).toBe(code);
  });

  it.each([[['--pin', '493817']], [['--code', 'A', '493817']], [['--493817']], [['--pin493817']], [['-493817']]])(
    'a PIN put there by mistake (%j) is not repeated',
    (argv) => {
      expect(refusal(argv).detail).not.toContain('493817');
    },
  );
});
