import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { EXIT_MEANINGS } from './exit-codes.ts';
import { ENVIRONMENT } from './help.ts';
import { manualPage, roff } from './manual.ts';
import { COMMANDS } from './run.ts';

const page = manualPage(COMMANDS, '1.2.3');
// Only to read the page the way a person does: slim images of Debian have no man-db, and the other tests read its source.
const hasMan = spawnSync('man', ['--version']).error === undefined;

describe('the manual page', () => {
  it.skipIf(!hasMan)('is shown by man without a complaint, with all that --help says', () => {
    const env = { ...process.env, MANWIDTH: '500', LC_ALL: 'C.UTF-8', MANROFFOPT: '' };
    const { stdout, stderr, status } = spawnSync('man', ['--warnings=all', '-l', '-'], {
      input: page,
      encoding: 'utf8',
      env,
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const shown = stdout.replace(/\s+/g, ' ');
    expect(shown).toContain('cardwright 1.2.3');
    for (const command of COMMANDS) {
      expect(shown).toContain(`cardwright-agent ${command.name}`);
      expect(shown).toContain(command.about.slice(0, 60));
      for (const [name, spec] of Object.entries(command.options)) {
        expect(shown).toContain(spec.kind === 'flag' ? `--${name} ` : `--${name} ${spec.value}`);
      }
      for (const example of command.examples) expect(shown).toContain(example.replace(/\s+/g, ' '));
    }
    for (const [code, meaning] of EXIT_MEANINGS) expect(shown).toContain(`${code} ${meaning}`);
    for (const [name, about] of ENVIRONMENT) expect(shown).toContain(`${name} ${about}`);
  });

  it('takes no text for a request of roff', () => {
    expect(roff('.so /etc/passwd')).toBe('\\&.so /etc/passwd');
    expect(roff("a\n'b \\n --c")).toBe('a\n\\(aqb \\en \\-\\-c');
    for (const line of page.split('\n')) {
      if (line.startsWith('.')) expect(line).toMatch(/^\.(TH|SH|SS|B|BR|I|RI|PP|TP|br|EX|EE)\b/);
      expect(line.startsWith("'")).toBe(false);
    }
  });
});
