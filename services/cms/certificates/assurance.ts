/**
 * How sure it is that a certificate's key is in the hands of the person it names, and of nobody else: decided when it is
 * issued, and kept with it. The words are those of eIDAS (Implementing Regulation (EU) 2015/1502); that this product reaches
 * what the regulation asks of a whole organisation is not said by them.
 */
export const ASSURANCE_LEVELS = ['none', 'low', 'substantial', 'high'] as const;
export type Assurance = (typeof ASSURANCE_LEVELS)[number];

export const isAssurance = (text: string): text is Assurance => ASSURANCE_LEVELS.some((level) => level === text);

export const isAtLeast = (level: Assurance, least: Assurance): boolean =>
  ASSURANCE_LEVELS.indexOf(level) >= ASSURANCE_LEVELS.indexOf(least);

/** A chain is as strong as its weakest link. */
export function weakestOf(first: Assurance, ...others: readonly Assurance[]): Assurance {
  return others.reduce((least, level) => (isAtLeast(level, least) ? least : level), first);
}

/**
 * Of a certificate that follows another one on the same card. The same key keeps its level, and so does a new one that the
 * TPM says is behind the same PIN, or that the old key signed for. Of any other new key nothing is known but that the device's
 * own credential asked for it.
 */
export function assuranceOfRenewal(
  before: Assurance,
  key: { readonly key: 'same' | 'new'; readonly attested: boolean; readonly signedByOld: boolean },
): Assurance {
  return key.key === 'same' || key.attested || key.signedByOld ? before : weakestOf(before, 'low');
}
