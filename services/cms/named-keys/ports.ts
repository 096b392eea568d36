import type { Intent } from '../kernel/actor.ts';

export const NAMED_KEY_KINDS = ['uniform-key', 'an10922-master', 'dogtag-master'] as const;
export type NamedKeyKind = (typeof NAMED_KEY_KINDS)[number];
type Algorithm = 'tdes' | 'aes-128' | 'aes-192' | 'aes-256';

export interface NamedKey {
  readonly name: string;
  readonly kind: NamedKeyKind;
  readonly algorithm: Algorithm;
  readonly kcv: string | null;
  readonly createdAt: string;
}

/** What this needs of the vault, which alone keeps them. */
export interface NamedKeys {
  take(key: { name: string; kind: NamedKeyKind; algorithm: Algorithm; jwe: string }, intent: Intent): Promise<NamedKey>;
  list(intent: Intent): Promise<readonly NamedKey[]>;
}
