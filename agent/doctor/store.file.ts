import { existsSync, statfsSync } from 'node:fs';
import { isDomainError } from '@cardwright/protocol';
import { isPlaced } from '../enrolment/journal.ts';
import { lockHolder } from '../store/lock.linux.ts';
import { FileMedium, openDirectory } from '../store/medium.file.ts';
import { Store } from '../store/store.ts';
import type { StoreFacts } from './facts.ts';

/** Looks at the store in `directory`, and makes nothing. */
export function storeFacts(directory: string): StoreFacts {
  const nothing = {
    ...{ directory, cards: 0, unfinished: 0, places: [], lockedBy: null, freeBytes: null, storageKeyName: null },
  };
  if (!existsSync(directory)) return { ...nothing, exists: false, problem: null };
  try {
    openDirectory(directory);
    const { cards, enrolments, storageKeyName } = new Store(new FileMedium(directory, () => undefined)).document;
    return {
      directory,
      exists: true,
      problem: null,
      cards: cards.length,
      unfinished: enrolments.length,
      places: [...cards, ...enrolments.map(({ state }) => state).filter(isPlaced)].map(({ slot }) => slot),
      lockedBy: lockHolder(directory) ?? null,
      freeBytes: freeBytes(directory),
      storageKeyName,
    };
  } catch (error) {
    if (!isDomainError(error)) throw error;
    return { ...nothing, exists: true, problem: { code: error.code, detail: error.detail } };
  }
}

function freeBytes(directory: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize;
  } catch {
    return null;
  }
}
