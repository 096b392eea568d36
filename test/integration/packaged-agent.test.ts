import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { inRepository } from '@cardwright/infra';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Device, newDevice } from '../support/device.ts';
import { enrolledCard } from '../support/people.ts';
import { refusalOf, run } from '../support/run.ts';
import { runFolder } from '../support/run-folder.ts';
import { startTestSystem, type TestSystem } from '../support/system.ts';
import { newCode, rawDevice, refusal } from './cms/raw-device.ts';

const VERSION: string = JSON.parse(readFileSync(inRepository('agent', 'package.json'), 'utf8')).version;
const hasSystemd = spawnSync('systemd-analyze', ['--version']).error === undefined;

let folder: string;
/** Where the package is installed: a root of its own, so that this machine stays as it is. */
let root: string;
let installed: string;
let system: TestSystem;
/** A computer on which the package is. */
let device: Device;
let deviceId: string;

beforeAll(async () => {
  folder = mkdtempSync(join(runFolder(), 'package-'));
  root = join(folder, 'root');
  mkdirSync(join(root, 'var', 'lib', 'dpkg'), { recursive: true });
  writeFileSync(join(root, 'var', 'lib', 'dpkg', 'status'), '');
  installed = join(root, 'usr', 'bin', 'cardwright-agent');
  const packager = inRepository('infra', 'dist', 'agent-package', 'cli.js');
  const made = run(process.execPath, [packager, '--out', folder, '--compression', 'none'], { seconds: 90 });
  system = await startTestSystem();
  expect(await made).toMatchObject({ exitCode: 0 });
  dpkg('--force-depends', '--install', debFile());
  const bare = await newDevice();
  const env = { CARDWRIGHT_TPM: bare.tpm.tcti, CARDWRIGHT_STORE: bare.store };
  device = {
    ...bare,
    agent: (args, options = {}) => run(installed, args, { ...options, env: { ...env, ...options.env }, seconds: 60 }),
  };
  const { cardId } = await enrolledCard(system, device, '618294');
  deviceId = (await system.as('auditor').get(`/cards/${cardId}`)).body.device.id;
});
afterAll(async () => {
  await device?.remove();
  await system?.remove();
  rmSync(folder, { recursive: true, force: true });
});

const debFile = () => join(folder, readdirSync(folder).find((name) => name.endsWith('.deb')) ?? 'none.deb');
/** Scripts of the package see DPKG_ROOT, and leave the machine's users and services alone. */
const dpkg = (...args: string[]) =>
  execFileSync('dpkg', [`--root=${root}`, '--force-not-root', '--force-script-chrootless', ...args], { stdio: 'pipe' });

describe('the agent in one file', () => {
  it('is all that it needs: it runs without a Node, a package or a folder of ours', async () => {
    const alone = await run(installed, ['--version'], {
      env: { PATH: '/nonexistent', HOME: '/nonexistent' },
      seconds: 20,
    });
    expect(alone).toMatchObject({ exitCode: 0, stdout: `${VERSION}\n`, stderr: '' });
    expect(readFileSync(installed).includes(Buffer.from(inRepository()))).toBe(false);
  });

  it('signs, and refuses a wrong PIN, as the one of many files does', async () => {
    const sign = (pin: string) =>
      device.agent(['sign', '--in', '/proc/version', '--out', join(folder, 'signature'), '--pin-stdin'], {
        input: `${pin}\n`,
      });
    expect(await sign('618294')).toMatchObject({ exitCode: 0 });
    const wrong = await sign('111111');
    expect(refusalOf(wrong)).toBe('pin-wrong');
    expect(wrong.exitCode).toBe(10);
  });
});

describe('the package', () => {
  it('brings the executable, its manual page, completion and units, open to read and to nobody to write', () => {
    const listed = execFileSync('dpkg-deb', ['--contents', debFile()], { encoding: 'utf8' });
    for (const [, mode, owner, path] of listed.matchAll(/^(\S+) (\S+) .* \.(\/\S*)$/gm)) {
      expect(owner).toBe('root/root');
      expect(mode, path).toMatch(/^(drwxr-xr-x|-rw-r--r--|-rwxr-xr-x)$/);
    }
    const manual = spawnSync('zcat', [join(root, 'usr/share/man/man1/cardwright-agent.1.gz')], { encoding: 'utf8' });
    expect(manual.stdout).toContain('.SH EXIT STATUS');
    for (const file of [
      'usr/share/bash-completion/completions/cardwright-agent',
      'usr/share/zsh/vendor-completions/_cardwright-agent',
      'usr/share/fish/vendor_completions.d/cardwright-agent.fish',
      'usr/lib/sysusers.d/cardwright-agent.conf',
      'usr/share/doc/cardwright-agent/copyright',
    ]) {
      expect(statSync(join(root, file)).size, file).toBeGreaterThan(100);
    }
    expect(execFileSync('dpkg-deb', ['--field', debFile(), 'Version'], { encoding: 'utf8' }).trim()).toBe(VERSION);
  });

  it.skipIf(!hasSystemd)('has units that systemd takes, and that shut the service in', () => {
    const units = [
      ['--system', 'usr/lib/systemd/system/cardwright-agent.service'],
      ['--user', 'usr/lib/systemd/user/cardwright-agent.service'],
    ] as const;
    for (const [manager, path] of units) {
      const unit = readFileSync(join(root, path), 'utf8');
      // The executable is in another root: systemd-analyze looks whether it is there.
      const copy = join(folder, 'cardwright-agent.service');
      writeFileSync(copy, unit.replace('/usr/bin/cardwright-agent', installed));
      const env = { ...process.env, XDG_RUNTIME_DIR: folder };
      const verified = spawnSync('systemd-analyze', [manager, 'verify', '--man=no', copy], { encoding: 'utf8', env });
      expect(verified.stderr).toBe('');
      expect(verified.status).toBe(0);
    }
    // 0 is shut in wholly, 100 is as any program; above 20 the service has something that it does not need.
    const unit = join(root, units[0][1]);
    const judged = spawnSync('systemd-analyze', ['security', '--offline=true', '--no-pager', '--threshold=20', unit]);
    expect(judged.status).toBe(0);
  });

  it('its bash completion completes', () => {
    const file = join(root, 'usr/share/bash-completion/completions/cardwright-agent');
    const script = `source '${file}'; COMP_WORDS=(cardwright-agent doc); COMP_CWORD=1; _cardwright_agent; echo "$COMPREPLY"`;
    expect(execFileSync('bash', ['-c', script], { encoding: 'utf8' })).toBe('doctor\n');
  });
});

describe('what the doctor of a device finds', () => {
  const shown = async () => (await system.as('auditor').get(`/devices/${deviceId}`)).body.report;
  const examined = () =>
    system.query(
      `SELECT before, after FROM audit_events WHERE action = 'device.examined' AND outcome = 'done' ORDER BY id`,
    );
  const owner = (...args: string[]) =>
    execFileSync('tpm2_changeauth', ['-c', 'owner', ...args], {
      env: { ...process.env, TPM2TOOLS_TCTI: device.tpm.tcti },
      stdio: 'pipe',
    });

  it('is kept by the server, the last only, and noted where its level changes', async () => {
    expect(await shown()).toBeNull();
    const healthy = await device.agent(['doctor', '--report', '--json']);
    expect(healthy).toMatchObject({ exitCode: 0 });
    const { findings, reported, level } = JSON.parse(healthy.stdout);
    expect(reported).toEqual([{ url: system.url, problem: null }]);
    expect(findings).toContainEqual(expect.objectContaining({ check: 'endorsement-certificate', level: 'ok' }));
    expect(findings).toContainEqual(expect.objectContaining({ check: 'clock', level: 'ok', server: system.url }));
    // Its TPM is reached without a resource manager, and that is all.
    expect(level).toBe('warning');
    const told = findings.map(({ check, level: each, message }: Record<string, unknown>) => ({
      check,
      level: each,
      message,
    }));
    expect(await shown()).toMatchObject({ level, agentVersion: VERSION, tpm: { revision: '1.64' }, findings: told });

    owner('secret');
    try {
      expect(refusalOf(await device.agent(['doctor', '--report']))).toBe('device-not-ready');
    } finally {
      owner('-p', 'secret');
    }
    const worse = await shown();
    expect(worse.level).toBe('problem');
    expect(worse.findings).toContainEqual(expect.objectContaining({ check: 'owner-password', level: 'problem' }));
    await device.agent(['doctor', '--report']);
    await device.agent(['doctor', '--report']);
    expect(await shown()).toMatchObject({ level: 'warning' });
    expect(await examined()).toMatchObject([
      { after: { level: 'warning' } },
      { before: { level: 'warning' }, after: { level: 'problem', checks: ['owner-password'] } },
      { before: { level: 'problem' }, after: { level: 'warning' } },
    ]);
  });

  const finding = { check: 'tpm', level: 'ok', message: 'It is well.', advice: null };
  const report = { agentVersion: '0.1.0', checkedAt: '2026-11-20T09:00:00Z', tpm: null, findings: [finding] };

  it('is refused by the server unless it is a report, of a device that it knows', async () => {
    const raw = rawDevice(system);
    expect(refusal(await raw.api.post('/agent/doctor-reports', report))).toBe('401 token-invalid');
    await raw.claim((await newCode(system)).code);
    for (const body of [
      { ...report, findings: [] },
      { ...report, findings: Array(65).fill(finding) },
      { ...report, findings: [{ ...finding, level: 'fine' }] },
      { ...report, findings: [{ ...finding, message: 'x'.repeat(501) }] },
      // What could repaint a terminal.
      { ...report, findings: [{ ...finding, message: 'It is\u001b[2J well' }] },
      { ...report, owner: 'me' },
      { ...report, checkedAt: 'yesterday' },
    ]) {
      expect(refusal(await raw.api.post('/agent/doctor-reports', body))).toBe('400 field-invalid');
    }
    const before = await shown();
    expect(await raw.api.post('/agent/doctor-reports', report)).toMatchObject({ status: 201, body: { level: 'ok' } });
    expect(await shown()).toEqual(before);
  });
});

describe('taking the package off', () => {
  it('leaves nothing of it, and a store that its user made', () => {
    const store = join(root, 'var', 'lib', 'cardwright');
    mkdirSync(store);
    writeFileSync(join(store, 'store.json'), '{}');
    dpkg('--purge', 'cardwright-agent');
    expect(existsSync(installed)).toBe(false);
    expect(existsSync(join(root, 'usr'))).toBe(false);
    expect(existsSync(join(store, 'store.json'))).toBe(true);
  });
});
