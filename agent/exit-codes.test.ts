import { readFileSync } from 'node:fs';
import { DomainError, type ErrorKind } from '@cardwright/protocol';
import { describe, expect, it } from 'vitest';
import { EXIT, EXIT_MEANINGS, failureOf } from './exit-codes.ts';
import { generalHelp } from './help.ts';
import { COMMANDS } from './run.ts';
import { Interrupted } from './terminal/port.ts';

describe('exit codes', () => {
  it('are all explained, once, in --help and in the readme', () => {
    expect(EXIT_MEANINGS.map(([code]) => code)).toEqual(Object.values(EXIT));
    const help = generalHelp(COMMANDS);
    for (const [code, meaning] of EXIT_MEANINGS)
      expect(help).toMatch(new RegExp(`^ +${code} +${escaped(meaning)}$`, 'm'));
    const readme = readFileSync(new URL('README.md', import.meta.url), 'utf8');
    const rows = [...readme.matchAll(/^\| (\d+) \| (.+) \|$/gm)].map(([, code, meaning]) => [Number(code), meaning]);
    expect(rows).toEqual(EXIT_MEANINGS);
  });

  it.each<[ErrorKind, string, number]>([
    ['invalid', 'option-missing', 2],
    ['unprocessable', 'response-refused-by-card', 3],
    ['conflict', 'slot-taken', 4],
    ['precondition-failed', 'x', 4],
    ['precondition-required', 'x', 4],
    ['not-found', 'card-unknown', 5],
    ['unauthenticated', 'token-invalid', 6],
    ['forbidden', 'tpm-access-denied', 6],
    ['too-many', 'x', 7],
    ['unavailable', 'tpm-unreachable', 7],
    ['internal', 'x', 1],
    ['unprocessable', 'pin-wrong', 10],
    ['conflict', 'card-blocked', 11],
  ])('%s (%s) ends with %i', (kind, code, exitCode) => {
    expect(failureOf(new DomainError(kind, code, 'x'))).toMatchObject({ exitCode, code });
  });

  it('of what nobody foresaw, and of Ctrl-C', () => {
    expect(failureOf(new Error('secret'))).toMatchObject({ exitCode: 1, code: 'internal' });
    expect(JSON.stringify(failureOf(new Error('secret')))).not.toContain('secret');
    expect(failureOf(new Interrupted())).toMatchObject({ exitCode: 130 });
  });
});

describe('commands', () => {
  it('all speak JSON, but for those whose output is a file for another program', () => {
    const others = COMMANDS.filter(({ options }) => !('json' in options)).map(({ name }) => name);
    expect(others).toEqual(['completion', 'manual']);
  });

  it('all show an example that begins as they are called', () => {
    for (const { name, examples } of COMMANDS) {
      expect(examples.length).toBeGreaterThan(0);
      expect(examples.some((example) => example.includes(`cardwright-agent ${name}`))).toBe(true);
    }
  });
});

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
