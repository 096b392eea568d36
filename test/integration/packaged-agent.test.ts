import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
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
import { inRepository, until } from '@cardwright/infra';
import { encodeLines, packLockoutChallenge } from '@cardwright/protocol/challenge';
import { connectVault } from '@cardwright/vault';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Device, newDevice } from '../support/device.ts';
import { enrolledCard } from '../support/people.ts';
import { refusalOf, run, start } from '../support/run.ts';
import { runFolder } from '../support/run-folder.ts';
import { startTestSystem, type TestSystem } from '../support/system.ts';
import { newCode, rawDevice, refusal } from './cms/raw-device.ts';
import { softParent } from './vault/soft-parent.ts';

const VERSION: string = JSON.parse(readFileSync(inRepository('agent', 'package.json'), 'utf8')).version;
// systemd judges its own units, and can't be had where containers are built without it; nothing else here needs it.
const hasSystemd = spawnSync('systemd-analyze', ['--version']).error === undefined;

/** When the organisation has a TPM locked. */
const RULES = { maxTries: 4, forgivenAfterSeconds: 600, passwordPauseSeconds: 900 };

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
  system = await startTestSystem({ environment: { cms: { CMS_TPM_LOCKOUT: Object.values(RULES).join(',') } } });
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

  it('brings the notices of all that others wrote in the executable, which holds them too', () => {
    const notices = readFileSync(join(root, 'usr/share/doc/cardwright-agent/THIRD-PARTY-NOTICES'), 'utf8');
    const { dependencies } = JSON.parse(readFileSync(inRepository('agent', 'package.json'), 'utf8'));
    const others = Object.keys(dependencies).filter((name) => !name.startsWith('@cardwright/'));
    expect(others.length).toBeGreaterThan(0);
    for (const name of others) {
      const licence = readFileSync(inRepository('node_modules', name, 'LICENSE'), 'utf8').trim();
      expect(notices).toContain(`\n${name} ${dependencies[name]} (`);
      expect(notices).toContain(licence);
      expect(readFileSync(installed).includes(licence)).toBe(true);
    }
    expect(readFileSync(join(folder, 'THIRD-PARTY-NOTICES.txt'), 'utf8')).toBe(notices);
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

  it('names the places of cards whose store is gone, here and at the server, until the owner removes them', async () => {
    const lost = join(device.directory, 'lost-store');
    const before: Device = {
      ...device,
      agent: (args, options = {}) => device.agent(args, { ...options, env: { CARDWRIGHT_STORE: lost } }),
    };
    await enrolledCard(system, before, '618294');
    const [card] = JSON.parse(readFileSync(join(lost, 'store.json'), 'utf8')).cards;
    rmSync(lost, { recursive: true });
    const place = `0x0${card.slot.toString(16)}`;
    const leftOver = async () => {
      const { findings } = JSON.parse((await device.agent(['doctor', '--report', '--json'])).stdout);
      const found = findings.filter(({ check }: { check: string }) => check === 'left-over-cards');
      const told = (await shown()).findings.filter(({ check }: { check: string }) => check === 'left-over-cards');
      expect(told).toEqual(found.map(({ server: _, ...rest }: { server: unknown }) => rest));
      return found;
    };
    expect(await leftOver()).toMatchObject([
      { level: 'warning', message: expect.stringContaining(place), advice: expect.stringContaining('reissue') },
    ]);
    const env = { ...process.env, TPM2TOOLS_TCTI: device.tpm.tcti };
    execFileSync('tpm2_nvundefine', ['-C', 'o', place], { env, stdio: 'pipe' });
    expect(await leftOver()).toEqual([]);
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
      { ...report, checkedAt: 'yesterday' },
    ]) {
      expect(refusal(await raw.api.post('/agent/doctor-reports', body))).toBe('400 field-invalid');
    }
    expect(refusal(await raw.api.post('/agent/doctor-reports', { ...report, owner: 'me' }))).toBe('400 field-unknown');
    const before = await shown();
    expect(await raw.api.post('/agent/doctor-reports', report)).toMatchObject({ status: 201, body: { level: 'ok' } });
    expect(await shown()).toEqual(before);
  });
});

describe("the lockout of the device's TPM", () => {
  const tool = (program: string, ...args: string[]) =>
    execFileSync(program, args, {
      env: { ...process.env, TPM2TOOLS_TCTI: device.tpm.tcti },
      stdio: 'pipe',
      timeout: 15_000,
    });
  const locked = async () => JSON.parse((await device.agent(['status', '--json'])).stdout).hardwareLock.locked;
  const because = { verification: { method: 'call-back', evidence: 'Called back' }, reason: 'Disk password mistyped' };
  const ask = (challenge: string, of = deviceId) =>
    system.as('helpdesk').post(`/devices/${of}/lockout-resets`, { challenge, ...because });

  /** Runs to where the challenge is shown. */
  async function startReset() {
    const program = start(installed, ['reset-lockout', '--json', '--response-stdin'], {
      env: { CARDWRIGHT_TPM: device.tpm.tcti, CARDWRIGHT_STORE: device.store },
    });
    const shown = await until({ what: 'the challenge', seconds: 20 }, () => program.output().split('\n')[0] || null);
    const finish = (response: string) => {
      program.child.stdin?.end(`${response}\n`);
      return program.ended;
    };
    return { challenge: JSON.parse(shown).challenge.join('\n') as string, finish };
  }

  it('is put under the protection of the vault, once', async () => {
    expect(refusalOf(await device.agent(['reset-lockout']))).toBe('lockout-not-protected');
    expect(await device.agent(['protect-lockout'])).toMatchObject({ exitCode: 0 });
    const again = await device.agent(['protect-lockout', '--json']);
    expect(JSON.parse(again.stdout)).toMatchObject({ outcome: 'done' });
    const { facts } = JSON.parse((await device.agent(['doctor', '--json'])).stdout);
    expect(facts.tpm.facts.lockout).toMatchObject({ passwordSet: true, ...RULES });
  });

  it('is reset with the response of an operator, who says why', async () => {
    tool('tpm2_nvdefine', '-C', 'o', '-s', '8', '-p', 'right', '-a', 'authread|authwrite', '0x1500001');
    for (let wrong = 0; wrong <= RULES.maxTries; wrong++) {
      expect(() => tool('tpm2_nvread', '-C', '0x1500001', '-P', 'wrong', '0x1500001')).toThrow();
    }
    expect(await locked()).toBe(true);
    expect((await device.agent(['status'])).stderr).toContain('the TPM itself is locked for at most 10 minutes');

    const first = await startReset();
    const { response } = (await ask(first.challenge)).body;
    expect(await first.finish(response)).toMatchObject({ exitCode: 0 });
    expect(await locked()).toBe(false);

    const replayed = await startReset();
    expect(refusalOf(await replayed.finish(response))).toBe('response-for-another-challenge');
    const actions = await system.query(
      `SELECT action, reason, verification FROM audit_events WHERE action LIKE 'lockout.reset%' AND outcome = 'done' ORDER BY id`,
    );
    expect(actions).toMatchObject([
      { action: 'lockout.reset-requested', reason: because.reason },
      { action: 'lockout.reset-answered', reason: because.reason },
    ]);
  });

  it('gets no response for what is not its own challenge', async () => {
    const { challenge, finish } = await startReset();
    try {
      const raw = rawDevice(system);
      await raw.claim((await newCode(system)).code);
      const [other] = await system.query('SELECT id FROM devices WHERE id <> $1 ORDER BY id DESC', [deviceId]);
      expect(refusal(await ask(challenge, other.id))).toBe('422 challenge-for-another-device');
      expect(refusal(await ask('1603 EBDF'))).toBe('422 challenge-malformed');
      expect(refusal(await ask(challenge, randomUUID()))).toBe('404 not-found');
      const tag = createHash('sha256').update(other.id).digest().subarray(0, 2);
      const own = encodeLines(packLockoutChallenge({ deviceTag: tag, nonce: randomBytes(16) })).join('\n');
      expect(refusal(await ask(own, other.id))).toBe('404 lockout-not-protected');
      // Another storage key than the device was enrolled with: a cms that was taken over could only ask for itself.
      const parentPublic = Buffer.from(softParent().public).toString('base64');
      expect(refusal(await raw.api.post('/agent/lockout-protections', { parentPublic }))).toBe(
        '422 tpm-parent-of-another-device',
      );
    } finally {
      // It holds the TPM as long as it waits.
      expect(refusalOf(await finish('nonsense'))).toBe('response-mistyped');
    }
  });

  it('is no secret of who names a storage key of his own to the vault', async () => {
    const vault = connectVault(join(system.data.sockets, 'vault.sock'));
    try {
      const attacker = softParent();
      const asked = { deviceId, parentPublic: attacker.public, requestedBy: 'mallory', requestId: randomUUID() };
      const given = await vault.protectLockout(asked);
      const { key } = attacker.unwrap({ keyVersion: 1, ...given });
      const store = JSON.parse(readFileSync(join(device.store, 'store.json'), 'utf8'));
      expect(Buffer.from(given.authority).toString('base64')).not.toBe(store.lockout.authority);
      const password = `hex:${Buffer.from(key).toString('hex')}`;
      expect(() => tool('tpm2_dictionarylockout', '--clear-lockout', '-p', password)).toThrow();
    } finally {
      await vault.close();
    }
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
