import { closeSync, constants, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DomainError } from '@cardwright/protocol';
import { errno, unlinkIfThere } from './medium.file.ts';

/**
 * One writer at a time. Each contender makes a file of its own, whose name says who it is (process id, its start time
 * and the boot), and then looks for the files of others: of two contenders at least one sees the other, so two never
 * both go on. A file whose process is gone is only litter, and because its name is that process's alone, clearing it
 * away can't hit anybody else, as it could if the lock were one file.
 *
 * Not guaranteed across hosts or process namespaces that share the directory: there, nobody can tell who lives.
 */
export interface StoreLock {
  release(): void;
}

/** `lock.`: of the store, taken for each change. `service.`: of `run`, held for as long as it runs. */
type Prefix = 'lock.' | 'service.';
const ATTEMPTS = 8;

/** Throws `store-locked` (kind `unavailable`), naming the process. */
export async function lockStore(directory: string): Promise<StoreLock> {
  const taken = await lock(directory, 'lock.');
  if (typeof taken !== 'number') return taken;
  throw new DomainError(
    'unavailable',
    'store-locked',
    `Another cardwright-agent (process ${taken}) is using the store in ${directory}. Wait until it is done.`,
    { data: { processId: taken } },
  );
}

/** Throws `agent-already-running` (kind `conflict`), naming the process. */
export async function lockService(directory: string): Promise<StoreLock> {
  const taken = await lock(directory, 'service.');
  if (typeof taken !== 'number') return taken;
  throw new DomainError(
    'conflict',
    'agent-already-running',
    `cardwright-agent run is at work already for the store in ${directory} (process ${taken}).`,
    { data: { processId: taken } },
  );
}

/** The lock, or who has it. */
async function lock(directory: string, prefix: Prefix): Promise<StoreLock | number> {
  const own = `${prefix}${identity(process.pid) ?? `${process.pid}-0-0`}`;
  const path = join(directory, own);
  let holder = process.pid;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (makeFile(path)) {
      const other = clearAndFindOther(directory, prefix, own);
      if (other === undefined) return { release: () => unlinkIfThere(path) };
      holder = other;
      unlinkIfThere(path);
    } else {
      holder = process.pid;
    }
    // Two that came at once both stepped back: chance decides who is first next time.
    await sleep(10 + Math.random() * 40 * (attempt + 1));
  }
  return holder;
}

function makeFile(path: string): boolean {
  try {
    closeSync(openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600));
    return true;
  } catch (error) {
    if (errno(error) === 'EEXIST') return false;
    throw new DomainError('unavailable', 'store-unwritable', `The store's lock can't be made (${errno(error)}).`, {
      cause: error,
    });
  }
}

/** The process that holds the lock now, if there is one. Changes nothing; it may have let go by the time this is read. */
export function lockHolder(directory: string): number | undefined {
  return holders(directory, 'lock.').find(({ alive }) => alive)?.processId;
}

/** Removes the files of the dead; gives the id of a living other, if there is one. */
function clearAndFindOther(directory: string, prefix: Prefix, own: string): number | undefined {
  let other: number | undefined;
  for (const { name, processId, alive } of holders(directory, prefix)) {
    if (name === own) continue;
    if (alive) other = processId;
    else unlinkIfThere(join(directory, name));
  }
  return other;
}

function holders(directory: string, prefix: Prefix): { name: string; processId: number; alive: boolean }[] {
  return readdirSync(directory)
    .filter((name) => name.startsWith(prefix))
    .map((name) => {
      const processId = Number(/^(\d{1,10})-/.exec(name.slice(prefix.length))?.[1]);
      const alive = Number.isInteger(processId) && identity(processId) === name.slice(prefix.length);
      return { name, processId, alive };
    });
}

/** `<pid>-<start time>-<boot>`: a process id that was given to another process since does not match. */
function identity(processId: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${processId}/stat`, 'latin1');
    // proc(5): field 22 is the start time in ticks since boot; the command in field 2 may hold spaces and brackets.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, startTime] = [fields[0], fields[19]];
    if (state === 'Z' || state === 'X') return undefined;
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').slice(0, 8);
    return `${processId}-${startTime}-${boot}`;
  } catch {
    return undefined;
  }
}
