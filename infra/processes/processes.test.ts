import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startChild, stopProcess } from './child.ts';
import { identify, isRunning } from './identity.ts';
import { takeLock } from './lock.ts';
import { canBind, freePort, whoListens } from './ports.ts';
import { keptSecret, readPrivateFile, writePrivateFile } from './private-file.ts';
import { until } from './until.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cardwright-processes-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const node = (script: string) =>
  startChild({
    name: 'a test',
    command: process.execPath,
    args: ['-e', script],
    env: {},
    logFile: join(folder, 'log'),
    workingDirectory: folder,
  });

describe('a process', () => {
  it('is recognised, and no longer once it has ended', async () => {
    const child = await node('setInterval(() => {}, 1000)');
    expect(isRunning(child.identity)).toBe(true);
    child.kill('SIGKILL');
    expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' });
    expect(isRunning(child.identity)).toBe(false);
  });

  it('is not taken for another that was given the same pid', () => {
    const self = identify(process.pid);
    expect(self).not.toBeNull();
    expect(isRunning({ pid: process.pid, startedAt: `${self?.startedAt}0` })).toBe(false);
  });

  it('that is dead and not yet collected counts as ended', async () => {
    // The shell becomes a program that never waits for the child: a zombie.
    const shell = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
    const pid = await new Promise<number>((resolve) => shell.stdout.once('data', (line) => resolve(Number(line))));
    await until({ what: 'the child to be a zombie', seconds: 10 }, () => identify(pid) === null);
    expect(readPrivateFile(`/proc/${pid}/stat`)).toMatch(/\) Z /);
    shell.kill('SIGKILL');
  });

  it('that ignores SIGTERM is ended all the same', async () => {
    const child = await node("process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('ready')");
    await until({ what: 'its handler', seconds: 10 }, () => readPrivateFile(join(folder, 'log'))?.includes('ready'));
    await stopProcess(child.identity, { graceSeconds: 0.2 });
    expect((await child.exited).signal).toBe('SIGKILL');
  });

  it('inherits nothing of our environment', async () => {
    process.env.CARDWRIGHT_TEST_SECRET = 'not for others';
    const child = await node('console.log(JSON.stringify(Object.keys(process.env)))');
    delete process.env.CARDWRIGHT_TEST_SECRET;
    await child.exited;
    expect(readPrivateFile(join(folder, 'log'))).not.toContain('CARDWRIGHT_TEST_SECRET');
    expect(statSync(join(folder, 'log')).mode & 0o777).toBe(0o600);
  });

  it('that does not exist is refused by its name', async () => {
    const spec = { name: 'nothing', command: '/no/such/program', args: [], env: {}, workingDirectory: folder };
    await expect(startChild({ ...spec, logFile: join(folder, 'log') })).rejects.toMatchObject({
      code: 'process-did-not-start',
    });
  });
});

describe('the lock of a data directory', () => {
  it('is refused to a second while the first holds it, and given after', () => {
    const lock = takeLock(join(folder, 'lock'));
    expect(() => takeLock(join(folder, 'lock'))).toThrow(expect.objectContaining({ code: 'data-directory-in-use' }));
    lock.release();
    takeLock(join(folder, 'lock')).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each([
    ['a process that is dead', JSON.stringify({ pid: 2 ** 22 + 1, startedAt: 'long ago' })],
    ['one whose pid another has now', JSON.stringify({ pid: process.pid, startedAt: 'long ago' })],
    ['nobody: the file is damaged', '{'],
  ])('is taken over from %s', (_who, text) => {
    writeFileSync(join(folder, 'lock'), text);
    const lock = takeLock(join(folder, 'lock'));
    expect(JSON.parse(readPrivateFile(join(folder, 'lock')) ?? '')).toEqual(identify(process.pid));
    lock.release();
  });
});

describe('a private file', () => {
  it('is closed to others, replaced as a whole, and leaves nothing beside it', () => {
    writePrivateFile(join(folder, 'secret'), 'one\n');
    writePrivateFile(join(folder, 'secret'), 'two\n');
    expect(readPrivateFile(join(folder, 'secret'))).toBe('two');
    expect(statSync(join(folder, 'secret')).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['secret']);
  });

  it('holds a secret that is made once', () => {
    const made = keptSecret(join(folder, 'secret'));
    expect(Buffer.from(made, 'base64url')).toHaveLength(32);
    expect(keptSecret(join(folder, 'secret'))).toBe(made);
    expect(keptSecret(join(folder, 'another'))).not.toBe(made);
  });
});

describe('a port', () => {
  it('in use is not free, and its holder is named', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const port = (server.address() as { port: number }).port;
    expect(await canBind(port)).toBe(false);
    expect(whoListens(port)).toContain(`process ${process.pid} `);
    await new Promise((resolve) => server.close(resolve));
    expect(await canBind(port)).toBe(true);
    expect(whoListens(port)).toBeNull();
  });

  it('is found with a free neighbour', async () => {
    const port = await freePort(2);
    expect(await canBind(port)).toBe(true);
    expect(await canBind(port + 1)).toBe(true);
  });
});

it('waiting too long is an error that says what for', async () => {
  await expect(until({ what: 'the cows', seconds: 0.05 }, () => false)).rejects.toMatchObject({
    code: 'waited-too-long',
    detail: expect.stringContaining('the cows'),
  });
});
