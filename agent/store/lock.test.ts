import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockStore } from './lock.linux.ts';

let directory: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'cardwright-lock-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  rmSync(directory, { recursive: true, force: true });
});

const lockModule = new URL('../dist/store/lock.linux.js', import.meta.url).href;
function start(program: string): ChildProcess {
  const whole = `import { lockStore } from ${JSON.stringify(lockModule)};
    import { readFileSync, writeFileSync } from 'node:fs';
    const directory = ${JSON.stringify(directory)};
    ${program}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', whole], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return child;
}

async function holder(): Promise<ChildProcess> {
  const child = start(`await lockStore(directory); console.log('held'); setInterval(() => undefined, 1000);`);
  if (child.stdout !== null) await once(child.stdout, 'data');
  return child;
}

describe('the lock of the store', () => {
  it('is held by one, who is named', async () => {
    const child = await holder();
    await expect(lockStore(directory)).rejects.toMatchObject({
      kind: 'unavailable',
      code: 'store-locked',
      data: { processId: child.pid },
    });
  });

  it('of a dead process is taken over, and its litter cleared away', async () => {
    const child = await holder();
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(readdirSync(directory)).toHaveLength(1);
    const lock = await lockStore(directory);
    expect(readdirSync(directory)).toHaveLength(1);
    lock.release();
    expect(readdirSync(directory)).toEqual([]);
  });

  it('of a process whose id another one has now is taken over', async () => {
    // Our own parent lives, but did not start at that time, nor in that boot.
    writeFileSync(join(directory, `lock.${process.ppid}-1-00000000`), '');
    writeFileSync(join(directory, 'lock.nonsense'), '');
    (await lockStore(directory)).release();
    expect(readdirSync(directory)).toEqual([]);
  });

  it('is held once in one process too, and again after it was released', async () => {
    const lock = await lockStore(directory);
    await expect(lockStore(directory)).rejects.toMatchObject({ code: 'store-locked' });
    lock.release();
    (await lockStore(directory)).release();
  });

  it('lets no two in at once, many times, while some are killed', async () => {
    writeFileSync(join(directory, 'count'), '0');
    const counting = (rounds: number) =>
      start(`
        let done = 0;
        while (done < ${rounds}) {
          let lock;
          try { lock = await lockStore(directory); } catch (error) {
            if (error.code !== 'store-locked') throw error;
            continue;
          }
          // Lost updates show two at once.
          const count = Number(readFileSync(directory + '/count', 'utf8'));
          await new Promise((resolve) => setTimeout(resolve, 1));
          writeFileSync(directory + '/count', String(count + 1));
          lock.release();
          done++;
        }`);
    const workers = [1, 2, 3, 4].map(() => counting(15));
    const killed = await Promise.all(
      [1, 2].map(async () => start(`await lockStore(directory).catch(() => 0); process.kill(process.pid, 'SIGKILL');`)),
    );
    const codes = await Promise.all(workers.map(async (worker) => (await once(worker, 'exit'))[0] as number));
    expect(codes).toEqual([0, 0, 0, 0]);
    expect(readFileSync(join(directory, 'count'), 'utf8')).toBe('60');
    expect(killed).toHaveLength(2);
  }, 60_000);
});
