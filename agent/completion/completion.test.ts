import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMANDS } from '../run.ts';
import { bashCompletion } from './bash.ts';
import { fishCompletion } from './fish.ts';
import { zshCompletion } from './zsh.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cardwright-completion-'));
  mkdirSync(join(folder, 'papers'));
  writeFileSync(join(folder, 'paper one.pdf'), '');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a real bash offers after these words; the last is the one that is being typed. */
function offered(...words: string[]): string[] {
  const typed = ['cardwright-agent', ...words];
  const script = [
    'set -u',
    bashCompletion(COMMANDS),
    `COMP_WORDS=(${typed.map((word) => `'${word}'`).join(' ')})`,
    `COMP_CWORD=${typed.length - 1}`,
    // Outside of a completion it has nothing to change.
    'compopt() { :; }',
    '_cardwright_agent',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: for bash
    'printf "%s\\n" "${COMPREPLY[@]}"',
  ].join('\n');
  const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-c', script], { encoding: 'utf8', cwd: folder });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout.split('\n').filter((line) => line !== '');
}

describe('bash', () => {
  it('offers the commands, and only at their place', () => {
    expect(offered('')).toEqual([...COMMANDS.map(({ name }) => name), '--help', '--version']);
    expect(offered('st')).toEqual(['status']);
    expect(offered('nonsense', '')).toEqual([]);
  });

  it('offers the options of the command', () => {
    for (const { name, options, word } of COMMANDS) {
      const expected = [...(word?.values ?? []), ...Object.keys(options).map((option) => `--${option}`), '--help'];
      expect(offered(name, '')).toEqual(expected);
    }
    expect(offered('enrol', '--s')).toEqual(['--server', '--signed-by', '--signer-store', '--store', '--start-over']);
    expect(offered('completion', 'z')).toEqual(['zsh']);
  });

  it('offers paths where a path is wanted, and nothing where only the person knows', () => {
    expect(offered('list', '--store', 'pa')).toEqual(['papers']);
    expect(offered('sign', '--in', 'paper').sort()).toEqual(['paper one.pdf', 'papers']);
    expect(offered('enrol', '--code', '')).toEqual([]);
  });
});

describe.each([
  ['zsh', zshCompletion(COMMANDS), (option: string) => `--${option}[`],
  ['fish', fishCompletion(COMMANDS), (option: string) => `-l ${option} `],
])('%s', (_, script, shown) => {
  it('knows every command and option', () => {
    for (const { name, options } of COMMANDS) {
      const lines = script.split('\n').filter((line) => line.includes(`${name}) `) || line.includes(`from ${name}'`));
      for (const option of Object.keys(options)) expect(lines.join('\n')).toContain(shown(option));
      expect(script).toContain(name);
    }
  });

  it('quotes what is said of them', () => {
    // Each line by itself is whole: no quote is left open.
    for (const line of script.split('\n')) {
      const open = line.replace(/\\\\/g, '').replace(/'\\''/g, '').replace(/\\'/g, '');
      expect(open.split("'").length % 2, line).toBe(1);
    }
  });
});
