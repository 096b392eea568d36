import { DomainError } from '@cardwright/protocol';
import type { KeyRecord } from './key-record.ts';
import type { KeyStore } from './ports.ts';
import { keyUnknown } from './refusals.ts';

/** A card that needs more versions than this to be made, or changed, is not helped by trying again. */
const MAX_VERSIONS = 1000;
/** Calls at the same moment take the same version; all but one look again. */
const MAX_ATTEMPTS = 64;

/**
 * @param make tries to store the next version; undefined when somebody was faster.
 * @throws DomainError `administrator-key-versions` (too-many), `administrator-key-busy` (unavailable).
 */
export async function makeNextVersion<T>(
  keys: Pick<KeyStore, 'list' | 'lastVersion'>,
  cardId: string,
  make: (keyVersion: number, versions: readonly KeyRecord[]) => Promise<T | undefined>,
): Promise<T> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const versions = await keys.list(cardId);
    const keyVersion = (await keys.lastVersion(cardId)) + 1;
    if (keyVersion > MAX_VERSIONS) {
      throw new DomainError(
        'too-many',
        'administrator-key-versions',
        `A card has at most ${MAX_VERSIONS} key versions.`,
      );
    }
    const made = await make(keyVersion, versions);
    if (made !== undefined) return made;
  }
  throw new DomainError('unavailable', 'administrator-key-busy', 'Too many keys are being made for this card at once.');
}

/** The version that the card is known to have. @throws DomainError `administrator-key-unknown` (not-found). */
export function confirmedOf(versions: readonly KeyRecord[]): KeyRecord {
  const confirmed = versions.find(({ state }) => state === 'confirmed');
  if (confirmed === undefined) throw keyUnknown();
  return confirmed;
}
