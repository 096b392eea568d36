import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import {
  freePort,
  identify,
  inRepository,
  isRunning,
  type ProcessIdentity,
  stopInstallation,
  until,
} from '@cardwright/infra';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runFolder } from '../support/run-folder.ts';

interface RunRecord {
  readonly url: string;
  readonly tokens: Readonly<Record<string, string>>;
  readonly operators: readonly { name: string; role: string; password: string }[];
  readonly device: { readonly tcti: string; readonly store: string };
}

/** `npm start` after its set-up, as a process of its own that can be interrupted and killed. */
class Launcher {
  output = '';
  readonly child: ChildProcess;
  readonly ended: Promise<number | NodeJS.Signals | null>;

  constructor(dataDir: string, port: number, args: readonly string[] = [], environment: Record<string, string> = {}) {
    this.child = spawn(process.execPath, [inRepository('infra', 'dist', 'launcher', 'cli.js'), ...args], {
      env: { PATH: process.env.PATH ?? '', CARDWRIGHT_DATA: dataDir, CARDWRIGHT_PORT: String(port), ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        this.output += chunk;
      });
    }
    this.ended = new Promise((resolve) => this.child.once('close', (code, signal) => resolve(code ?? signal)));
  }

  async running(): Promise<void> {
    await until({ what: 'the launcher', seconds: 120 }, () => {
      if (this.child.exitCode !== null) throw new Error(`the launcher ended:\n${this.output}`);
      return this.output.includes('Stop      Ctrl-C');
    });
  }

  async end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null> {
    this.child.kill(signal);
    return this.ended;
  }
}

describe('npm start', () => {
  let dataDir: string;
  let port: number;
  let launcher: Launcher;
  const read = (name: string) => readFileSync(join(dataDir, name), 'utf8');
  const record = () => JSON.parse(read('run.json')) as RunRecord;
  const processes = () => Object.values(JSON.parse(read('processes.json')) as Record<string, ProcessIdentity>);
  const softwareTpm = () => (JSON.parse(read('device/tpm/running.json')) as { identity: ProcessIdentity }).identity;
  const postgresPid = () => Number(read('postgres/postmaster.pid').split('\n')[0]);
  const cards = async () => {
    const { url, tokens } = record();
    const answer = await fetch(`${url}/api/v1/cards`, { headers: { authorization: `Bearer ${tokens.helpdesk}` } });
    return ((await answer.json()) as { items: { id: string; state: string }[] }).items;
  };

  beforeAll(async () => {
    dataDir = mkdtempSync(join(runFolder(), 'launcher-'));
    port = await freePort();
    launcher = new Launcher(dataDir, port);
    await launcher.running();
  }, 180_000);

  afterAll(async () => {
    launcher.child.kill('SIGKILL');
    await stopInstallation(dataDir);
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('ends with everything running, one operator a role, and one enrolled card', async () => {
    const { url, tokens, operators, device } = record();
    expect(url).toBe(`http://127.0.0.1:${port}`);
    const roles = ['helpdesk', 'security-officer', 'auditor', 'integration'];
    expect(Object.keys(tokens)).toEqual(roles);
    expect(operators.map(({ role }) => role)).toEqual(roles);
    expect(device.tcti).toMatch(/^swtpm:host=127\.0\.0\.1,port=\d+$/);
    expect(await cards()).toMatchObject([{ state: 'active' }]);
    for (const { name, password } of operators) {
      const answer = await fetch(`${url}/api/v1/session`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: url },
        body: JSON.stringify({ userName: name, password }),
      });
      expect(answer.status).toBe(200);
    }
  });

  it('keeps what it writes to itself, and shows no secret where there is no terminal', () => {
    expect(statSync(join(dataDir, 'run.json')).mode & 0o777).toBe(0o600);
    expect(statSync(join(dataDir, 'secrets')).mode & 0o777).toBe(0o700);
    const { tokens, operators } = record();
    for (const secret of [...Object.values(tokens), ...operators.map(({ password }) => password)]) {
      expect(secret.length).toBeGreaterThanOrEqual(32);
      expect(launcher.output).not.toContain(secret);
    }
  });

  it('refuses a second launcher on the same data directory, and says who has it', async () => {
    const second = new Launcher(dataDir, await freePort());
    expect(await second.ended).toBe(1);
    expect(second.output).toContain(`(process ${launcher.child.pid}) is using this data directory`);
  });

  it('refuses to delete anything without being told twice', async () => {
    const second = new Launcher(dataDir, port, ['--reset']);
    expect(await second.ended).toBe(1);
    expect(second.output).toContain('npm start -- --reset --yes');
    const third = new Launcher(dataDir, port, ['--reset', '--yes']);
    expect(await third.ended).toBe(1);
    expect(third.output).toContain('is using this data directory');
    expect(await cards()).toHaveLength(1);
  });

  it('killed with -9, recovers at the next start: the same postgres, the same card', async () => {
    const [before, postgres, tpm] = [await cards(), postgresPid(), softwareTpm()];
    const left = processes();
    await launcher.end('SIGKILL');
    for (const identity of left) expect(isRunning(identity)).toBe(true);
    launcher = new Launcher(dataDir, port);
    await launcher.running();
    expect(launcher.output).toContain('ended what an earlier start left: worker, cms, ca, vault');
    for (const identity of left) expect(isRunning(identity)).toBe(false);
    expect(postgresPid()).toBe(postgres);
    expect(softwareTpm()).toEqual(tpm);
    expect(await cards()).toEqual(before);
  });

  it('ends all it started at Ctrl-C, and keeps all for the next start', async () => {
    const before = await cards();
    const started = [...processes(), softwareTpm()];
    const postgres = postgresPid();
    expect(await launcher.end('SIGINT')).toBe(0);
    for (const identity of started) expect(isRunning(identity)).toBe(false);
    expect(identify(postgres)).toBeNull();
    launcher = new Launcher(dataDir, port);
    await launcher.running();
    expect(launcher.output).toContain('kept the card of an earlier start');
    expect(await cards()).toEqual(before);
  });

  it('says so and ends when one of its processes dies', async () => {
    const vault = (JSON.parse(read('processes.json')) as Record<string, ProcessIdentity>).vault as ProcessIdentity;
    process.kill(vault.pid, 'SIGKILL');
    expect(await launcher.ended).toBe(1);
    expect(launcher.output).toContain('vault ended unexpectedly (SIGKILL). Its log: ');
  });

  it('says who has the port, and what to do', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const busy = (other.address() as { port: number }).port;
    const refused = new Launcher(dataDir, busy);
    expect(await refused.ended).toBe(1);
    expect(refused.output).toContain(`Port ${busy} on 127.0.0.1 is in use by process ${process.pid} `);
    expect(refused.output).toContain(`CARDWRIGHT_PORT=${busy + 1} npm start`);
    await new Promise((resolve) => other.close(resolve));
  });

  it('begins anew after --reset --yes', async () => {
    launcher = new Launcher(dataDir, port, ['--reset', '--yes']);
    await launcher.running();
    expect(launcher.output).toContain('applied public/');
    expect(await cards()).toHaveLength(1);
    expect(await launcher.end('SIGTERM')).toBe(0);
  });
});
