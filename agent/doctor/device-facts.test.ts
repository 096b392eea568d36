import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { serialise } from '../store/document.ts';
import { exampleDocument } from '../store/fixture.ts';
import { lockStore } from '../store/lock.linux.ts';
import { machineFacts } from './machine.linux.ts';
import { storeFacts } from './store.file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cardwright-doctor-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('what the operating system says of the TPM', () => {
  it('of a device that is there, and of one that is not', () => {
    const path = join(folder, 'tpmrm0');
    writeFileSync(path, '');
    expect(machineFacts(`device:${path}`)).toMatchObject({
      managed: true,
      node: { path, exists: true, mayOpen: true, group: expect.stringMatching(/^\S+$/) },
    });
    rmSync(path);
    expect(machineFacts(`device:${path}`).node).toEqual({ path, exists: false, mayOpen: false, group: null });
    expect(machineFacts(`device:${join(folder, 'tpm0')}`).managed).toBe(false);
  });

  it('of what is no device it says nothing, and of nonsense neither', () => {
    for (const tcti of ['swtpm:host=127.0.0.1,port=2321', 'nonsense']) {
      expect(machineFacts(tcti)).toMatchObject({ tcti, node: null, managed: false });
    }
  });
});

describe('what a doctor sees of a store', () => {
  const store = () => join(folder, 'store');
  const fill = (text: string) => {
    mkdirSync(store(), { mode: 0o700 });
    writeFileSync(join(store(), 'store.json'), text, { mode: 0o600 });
  };

  it('that is not there: it is not made by looking', () => {
    expect(storeFacts(store())).toMatchObject({ exists: false, problem: null, cards: 0 });
    expect(existsSync(store())).toBe(false);
  });

  it('with a card, and who is changing it now', async () => {
    fill(serialise(exampleDocument('CW-1111-1111')));
    expect(storeFacts(store())).toMatchObject({ exists: true, problem: null, cards: 1, unfinished: 0, lockedBy: null });
    const lock = await lockStore(store());
    try {
      expect(storeFacts(store()).lockedBy).toBe(process.pid);
    } finally {
      lock.release();
    }
    expect(storeFacts(store()).lockedBy).toBeNull();
    expect(storeFacts(store()).freeBytes).toBeGreaterThan(0);
  });

  it('that is damaged, or open to others', () => {
    fill('{');
    expect(storeFacts(store()).problem).toMatchObject({ code: 'store-damaged' });
    chmodSync(store(), 0o755);
    expect(storeFacts(store()).problem).toMatchObject({ code: 'store-open-to-others' });
  });
});
