import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { Device } from './device.ts';
import type { TestSystem } from './system.ts';

/** Where any of those keys stands in clear: a file of the system or of the agent's store, or the memory of cms. */
export async function foundOfKeys(system: TestSystem, device: Device, keys: readonly Buffer[]): Promise<string[]> {
  const wanted = keys.flatMap(spellings);
  const files = [...filesBelow(system.data.path), ...filesBelow(device.store)];
  const found = files.filter((file) => {
    const content = readFileSync(file);
    return wanted.some((spelling) => content.includes(spelling));
  });
  const planted = Buffer.from('administrator-key-changes'); // a path of its routes: shows that the search finds what is there
  const memory = inMemory(system.processes.cms.pid(), [...wanted, planted]);
  if (!memory.has(planted)) throw new Error('the memory of cms could not be searched');
  memory.delete(planted);
  return [...found, ...(memory.size > 0 ? ['the memory of cms'] : [])];
}

function spellings(key: Buffer): Buffer[] {
  const hex = key.toString('hex');
  const texts = [hex, hex.toUpperCase(), key.toString('base64').replace(/=+$/, ''), key.toString('base64url')];
  return [key, ...texts.map((text) => Buffer.from(text))];
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Which of those are in the pages that the process can write: as root sees them, while it runs. */
function inMemory(pid: number, wanted: readonly Buffer[]): Set<Buffer> {
  const [PART, OVERLAP] = [1 << 24, 128];
  const found = new Set<Buffer>();
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  const part = Buffer.alloc(PART);
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
      if (from === undefined) continue;
      const end = BigInt(`0x${to}`);
      for (let at = BigInt(`0x${from}`); at < end; ) {
        const most = Number(end - at < BigInt(PART) ? end - at : BigInt(PART));
        const length = read(memory, part, most, at);
        if (length === 0) break; // given back meanwhile
        const here = part.subarray(0, length);
        for (const one of wanted) if (here.includes(one)) found.add(one);
        at += BigInt(length <= OVERLAP || length < PART ? length : length - OVERLAP);
      }
    }
  } finally {
    closeSync(memory);
  }
  return found;
}

function read(file: number, into: Buffer, length: number, at: bigint): number {
  try {
    return readSync(file, into, 0, length, at);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EIO') return 0;
    throw error;
  }
}
