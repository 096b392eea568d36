import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { noFaults } from '../faults.ts';
import { serialise } from './document.ts';
import { exampleDocument } from './fixture.ts';
import { FileMedium, openDirectory } from './medium.file.ts';
import { Store } from './store.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'cardwright-store-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const oldText = serialise(exampleDocument('CW-1111-1111'));
const newText = serialise(exampleDocument('CW-1111-1111', 'CW-2222-2222'));
const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

/** Another process, which writes `newText` and dies at the point, as by SIGKILL or a crash of the system. */
function writeAndDie(point: string): NodeJS.Signals | null {
  const built = (file: string) => new URL(`../dist/${file}`, import.meta.url).href;
  const program = `
    import { readFileSync } from 'node:fs';
    import { faultPoints } from ${JSON.stringify(built('faults.js'))};
    import { FileMedium } from ${JSON.stringify(built('store/medium.file.js'))};
    const die = () => process.kill(process.pid, 'SIGKILL');
    const point = faultPoints({ at: ${JSON.stringify(point)}, trace: undefined, die });
    new FileMedium(${JSON.stringify(directory)}, point).replace(readFileSync(0, 'utf8'));`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', program], { input: newText }).signal;
}

describe('the file of the store', () => {
  it('is its owner’s alone, whatever the umask, and so is its directory', () => {
    const nested = join(directory, 'a', 'b');
    const before = process.umask(0);
    try {
      openDirectory(nested);
      new FileMedium(nested, noFaults).replace(newText);
    } finally {
      process.umask(before);
    }
    expect([mode(join(directory, 'a')), mode(nested), mode(join(nested, 'store.json'))]).toEqual(['700', '700', '600']);
    expect(readdirSync(nested)).toEqual(['store.json']);
  });

  const points = ['begin', 'half-written', 'written', 'synced', 'renamed', 'done'].map((name) => `store.${name}`);
  it.each(points)('is the old one or the new one, whole, when the process dies at %s', (point) => {
    new FileMedium(directory, noFaults).replace(oldText);
    expect(writeAndDie(point)).toBe('SIGKILL');
    const renamed = points.indexOf(point) >= points.indexOf('store.renamed');
    expect(readFileSync(join(directory, 'store.json'), 'utf8')).toBe(renamed ? newText : oldText);
    // And it can be written again, over whatever was left.
    const store = new Store(new FileMedium(directory, noFaults));
    store.putServer({ url: 'https://other', deviceToken: 'B'.repeat(43), deviceId: null, trustedCa: null });
    expect(new Store(new FileMedium(directory, noFaults)).server('https://other')).toBeDefined();
    expect(readdirSync(directory)).toEqual(['store.json']);
  });

  it('is not read through what was half-written, at any byte', () => {
    const medium = new FileMedium(directory, noFaults);
    medium.replace(oldText);
    for (let length = 0; length <= newText.length; length += 97) {
      writeFileSync(join(directory, 'store.json.new'), newText.slice(0, length), { mode: 0o600 });
      expect(new Store(medium).document.cards).toHaveLength(1);
    }
  });

  it('does not follow a link that was planted', () => {
    const elsewhere = join(directory, 'elsewhere');
    writeFileSync(elsewhere, 'kept', { mode: 0o600 });
    symlinkSync(elsewhere, join(directory, 'store.json.new'));
    new FileMedium(directory, noFaults).replace(newText);
    expect(readFileSync(elsewhere, 'utf8')).toBe('kept');
    rmSync(join(directory, 'store.json'));
    symlinkSync(elsewhere, join(directory, 'store.json'));
    expect(() => new FileMedium(directory, noFaults).read()).toThrow(
      expect.objectContaining({ code: 'store-unreadable' }),
    );
  });

  it('that is open to others is refused, and so is its directory', () => {
    new FileMedium(directory, noFaults).replace(newText);
    chmodSync(join(directory, 'store.json'), 0o640);
    const openToOthers = expect.objectContaining({ code: 'store-open-to-others' });
    expect(() => new FileMedium(directory, noFaults).read()).toThrow(openToOthers);
    chmodSync(directory, 0o750);
    expect(() => openDirectory(directory)).toThrow(openToOthers);
  });

  it('closes an empty directory that was made for it', () => {
    const empty = join(directory, 'empty');
    mkdirSync(empty, { mode: 0o755 });
    openDirectory(empty);
    expect(mode(empty)).toBe('700');
  });

  it('has a largest size', () => {
    writeFileSync(join(directory, 'store.json'), ' '.repeat(8 * 1024 * 1024 + 1), { mode: 0o600 });
    expect(() => new FileMedium(directory, noFaults).read()).toThrow(
      expect.objectContaining({ code: 'store-damaged' }),
    );
  });

  it('says so when it can’t be written', () => {
    const medium = new FileMedium(join(directory, 'gone'), noFaults);
    expect(() => medium.replace(newText)).toThrow(expect.objectContaining({ code: 'store-unwritable' }));
    writeFileSync(join(directory, 'a-file'), '');
    expect(() => openDirectory(join(directory, 'a-file'))).toThrow(
      expect.objectContaining({ code: 'store-unreadable' }),
    );
  });
});
