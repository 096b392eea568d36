import { DomainError, type Secret } from '@cardwright/protocol';
import { decodeProtectedHeader } from 'jose';
import type { KeyProvider } from './provider.ts';

/** What a sealed text is: `typ` of the JWE's protected header. A key for a card may come without. */
export type SealedType = 'administrator-key' | 'puk' | 'uniform-key' | 'an10922-master' | 'dogtag-master';

/**
 * Opens what was sealed to the import key, for one card (or one name) and one purpose. Both stand in the protected
 * header, which the seal covers: a caller who has the seal of a card's key can't have it taken in as a PUK, and shown.
 * @returns the caller's to wipe.
 * @throws DomainError (unprocessable) as KeyProvider.openImport; `administrator-key-sealed-for-another-card`,
 *   `administrator-key-sealed-as-another-kind`.
 */
export async function openSealedText(
  provider: KeyProvider,
  jwe: string,
  wanted: { readonly type: SealedType; readonly cardSerial: string },
): Promise<Secret> {
  const opened = await provider.openImport(jwe);
  // Authentic now: the header is part of what the seal covers (RFC 7516 section 5.1, step 14).
  const { typ } = decodeProtectedHeader(jwe);
  const type = typ === undefined ? 'administrator-key' : typ;
  if (type === wanted.type && opened.cardSerial === wanted.cardSerial) return opened.text;
  opened.text.wipe();
  if (type !== wanted.type) {
    throw new DomainError(
      'unprocessable',
      'administrator-key-sealed-as-another-kind',
      `The protected header of the seal must have the typ ${wanted.type}`,
    );
  }
  throw new DomainError(
    'unprocessable',
    'administrator-key-sealed-for-another-card',
    'The protected header of the seal must carry the cardSerial of the card that the key is for.',
  );
}
