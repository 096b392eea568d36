import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMANDS } from './run.ts';
import { type StoreDocument, serialise } from './store/document.ts';
import { exampleDocument } from './store/fixture.ts';

const agent = fileURLToPath(new URL('./bin/cardwright-agent.mjs', import.meta.url));
let folder: string;
let device: string[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cardwright-agent-'));
  // A server where nobody is.
  const [server] = exampleDocument().servers;
  const document = {
    ...exampleDocument('CW-1111-1111'),
    servers: [{ ...server, url: 'http://127.0.0.1:1' }],
  } as StoreDocument;
  writeFileSync(join(folder, 'store.json'), serialise(document), { mode: 0o600 });
  device = ['--store', folder, '--tpm', `swtpm:path=${join(folder, 'no-tpm.sock')}`];
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (args: string[], input = '') =>
  spawnSync(process.execPath, [agent, ...args], { input, encoding: 'utf8', timeout: 15_000 });

describe('the command line', () => {
  it('says its version and its help, with an example for each command', () => {
    const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
    expect(run(['--version']).stdout).toBe(`${version}\n`);
    const general = run(['--help']);
    expect(general.status).toBe(0);
    for (const { name } of COMMANDS) {
      expect(general.stdout).toContain(`  ${name} `);
      const help = run([name, '--help']);
      expect(help.status).toBe(0);
      expect(help.stdout).toContain(`cardwright-agent ${name}`);
      expect(help.stdout).toContain('Example');
    }
  });

  it.each([
    [[], 2, null],
    [['enroll'], 2, 'command-unknown'],
    [['enrol'], 2, 'option-missing'],
    [['enrol', '--server', 'https://x', '--code', '7K3M-92QF-XD4T', '--pin', '1'], 2, 'pin-on-command-line'],
    [['enrol', '--server', 'http://example.org', '--code', '7K3M-92QF-XD4T'], 2, 'server-url-not-https'],
    [['sign', '--in', '/nowhere', '--out', 'x', '--card', 'CW-9999-9999'], 5, 'card-unknown'],
    [['sign', '--in', '/nowhere', '--out', 'x', '--container', 'x'], 5, 'container-unknown'],
    [['sign', '--in', '/nowhere', '--out', 'x'], 5, 'file-unreadable'],
    [['sign', '--in', agent, '--out', 'x'], 2, 'terminal-missing'],
    [['sign', '--in', agent, '--out', 'x', '--pin-stdin'], 2, 'pin-missing'],
    [['destroy', '--card', 'CW-1111-1111'], 2, 'terminal-missing'],
    [['destroy', '--card', 'CW-1111-1111', '--yes', '--offline'], 7, 'tpm-unreachable'],
    [['status'], 7, 'tpm-unreachable'],
    [['unblock', '--qr', '--online'], 2, 'option-conflict'],
    [['approve'], 2, 'option-missing'],
    [['doctor'], 4, 'device-not-ready'],
    [['doctor', '--fix'], 2, 'option-unknown'],
  ])('%j ends with %i [%s]', (args, status, code) => {
    const known = COMMANDS.find(({ name }) => name === args[0]);
    const where = known === undefined ? [] : 'tpm' in known.options ? device : device.slice(0, 2);
    const ended = run([...args, ...where]);
    if (code !== null)
      expect(ended.stderr.trim().split('\n').at(-1)).toMatch(new RegExp(`^cardwright-agent: .* \\[${code}\\]$`));
    expect(ended.status).toBe(status);
  });

  it('puts an error into JSON where that is asked for', () => {
    const { stderr, status } = run(['status', '--json', ...device]);
    expect(JSON.parse(stderr).error).toMatchObject({ code: 'tpm-unreachable', exitCode: 7 });
    expect(status).toBe(7);
  });

  it('a doctor says what it found also where the device is not ready, and nothing secret', () => {
    const { stdout, stderr, status } = run(['doctor', '--json', ...device]);
    const { level, findings, facts } = JSON.parse(stdout);
    expect(status).toBe(4);
    expect(JSON.parse(stderr).error).toMatchObject({ code: 'device-not-ready' });
    expect(level).toBe('problem');
    expect(findings).toContainEqual(expect.objectContaining({ check: 'tpm', level: 'problem' }));
    expect(findings).toContainEqual(expect.objectContaining({ check: 'server', level: 'warning' }));
    expect(facts.store).toMatchObject({ directory: folder, cards: 1, lockedBy: null, problem: null });
    expect(stdout).not.toContain('AAAAAAAA');
  });

  it('shows no secret of the store, nor the PIN, when it fails', () => {
    const ended = run(['sign', '--in', agent, '--out', 'x', '--pin-stdin', ...device], '493817\n');
    expect(ended.status).toBe(7);
    expect(ended.stdout + ended.stderr).not.toMatch(/493817|AAAAAAAA/);
  });
});

describe('at a terminal', () => {
  /** `script` gives the command a terminal of its own, and us what is shown on it. */
  async function atTerminal(args: string[], answer: string): Promise<string> {
    const quoted = [process.execPath, agent, ...args, ...device].map((word) => `'${word}'`).join(' ');
    const child = spawn('script', ['-qec', `${quoted}; echo "ended with $?"; stty -a`, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'inherit'],
      timeout: 15_000,
    });
    let shown = '';
    let answered = false;
    child.stdout.on('data', (chunk: Buffer) => {
      shown += chunk.toString('utf8');
      if (answered || !shown.includes('PIN of card CW-1111-1111: ')) return;
      answered = true;
      child.stdin.write(answer);
    });
    await once(child, 'close');
    return shown;
  }
  const sign = ['sign', '--in', agent, '--out', '/dev/null'];

  it('a PIN is not shown as it is typed, and the terminal is given back', async () => {
    const shown = await atTerminal(sign, '493817\r');
    expect(shown).toContain('[tpm-unreachable]');
    expect(shown).toContain('ended with 7');
    expect(shown).not.toContain('493817');
    expect(shown).toMatch(/ icanon .* echo /s);
  });

  it('Ctrl-C ends the question and gives the terminal back', async () => {
    const shown = await atTerminal(sign, '4938\u0003');
    expect(shown).toContain('[interrupted]');
    expect(shown).toContain('ended with 130');
    expect(shown).not.toContain('4938');
    expect(shown).toMatch(/ icanon .* echo /s);
  });
});
