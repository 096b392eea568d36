import type { Facts } from './facts.ts';
import { type Finding, warning } from './finding.ts';

/** As many are named: a finding has room for a few hundred characters. */
const NAMED = 6;

/**
 * Places of cards in the TPM that no card of this store owns: of a system that was installed anew, or of a store that was
 * lost. Their keys' blobs are gone with it, so that nobody can use them again; they take the room of other cards. Nothing is
 * said where the store can't be read, for then all its cards would look so.
 */
export function leftOverFindings({ store, tpm }: Pick<Facts, 'store' | 'tpm'>): Finding[] {
  if (!tpm.answers || store.problem !== null) return [];
  const left = tpm.facts.cardPlaces.filter((place) => !store.places.includes(place));
  if (left.length === 0) return [];
  const named = left.slice(0, NAMED).map((place) => `0x${place.toString(16).padStart(8, '0')}`);
  const more = left.length > NAMED ? ` and ${left.length - NAMED} more` : '';
  return [
    warning(
      'left-over-cards',
      `${left.length === 1 ? 'A place of a card stands' : `${left.length} places of cards stand`} in the TPM that ` +
        `no card in ${store.directory} owns: ${named.join(', ')}${more}.`,
      'Cards of another store (a user, an earlier system)? See list --store DIRECTORY there. If no store has them any ' +
        'more, nobody can use them: have an operator reissue these cards, which retires the old ones, and let the owner ' +
        `of the TPM remove each place for ever: tpm2_nvundefine -C o ${named[0]}`,
    ),
  ];
}
