import type { KeyType } from '@cardwright/protocol';
import type { AttestationPolicy } from '../attestation/index.ts';

/**
 * What a certificate is for. The kinds are the CA's own and fixed in its code: a profile chooses among them and says the
 * rest (which keys, how long, whose names, for whom), so that nobody who writes profiles can order another thing.
 */
export const CERTIFICATE_KINDS = [
  'smart-card-sign-in',
  'tls-client',
  'smime-signature',
  'smime-encryption',
  'document-signature',
  'volume-encryption',
  'device',
] as const;
export type CertificateKind = (typeof CERTIFICATE_KINDS)[number];

/** Which names of the directory's record go into a certificate. What its kind can't have is never in it. */
export interface NameRule {
  readonly userPrincipalName: boolean;
  /** The person's own, or the one that follows from the user principal name. */
  readonly kerberosPrincipal: boolean;
  readonly email: 'none' | 'if-any' | 'required';
  /** A Windows account's SID, if the person has one. */
  readonly securityIdentifier: boolean;
  readonly organization: boolean;
}

/** Who may have such a certificate: persons with one of these organisations and one of these domains, where they are said. */
export interface PeopleRule {
  readonly organizations?: readonly string[];
  /** What stands after the @ of the user principal name, in lower case. */
  readonly domains?: readonly string[];
}

/** What is saved. Every save is a new version; the newest counts for what is asked for from then on. */
export interface CertificateProfileContents {
  readonly displayName: string;
  readonly kind: CertificateKind;
  /** Name of the CA connector that issues. */
  readonly authority: string;
  readonly keyTypes: readonly KeyType[];
  readonly validitySeconds: number;
  /** Days before its end from which a certificate is renewed. Null: 30, or a third of its life. */
  readonly renewalDays: number | null;
  readonly renewalKey: 'same' | 'new';
  /** A key that is older gets no further certificate. Null: it may become as old as it likes. */
  readonly maxKeyAgeDays: number | null;
  /** Whether the device's TPM has to state the key. Null: as the card profile has it. */
  readonly attestation: AttestationPolicy | null;
  /** The container that card profiles are offered for it. */
  readonly containerDefault: string | null;
  /** Null: everybody. */
  readonly people: PeopleRule | null;
  readonly names: NameRule;
}

export interface CertificateProfile extends CertificateProfileContents {
  readonly name: string;
  /** 1, 2, 3 … */
  readonly version: number;
  readonly createdAt: Date;
  readonly createdBy: { readonly id: string; readonly name: string };
}

/** What a container of a card profile says of its own; a certificate profile says the rest. */
export interface ContainerRule {
  readonly container: string;
  readonly keyType: string;
  /** Name of a certificate profile. */
  readonly certificateProfile: string;
  /** Shorter than the certificate profile's, if this card's are to be. */
  readonly validitySeconds?: number;
  readonly renewalDays?: number;
  readonly renewalKey?: 'same' | 'new';
}

/** What counts for one container: its own word where it has one, but never a longer life than the certificate profile's. */
export interface EffectiveRule {
  readonly validitySeconds: number;
  readonly renewalDays: number | null;
  readonly renewalKey: 'same' | 'new';
  readonly maxKeyAgeDays: number | null;
  /** Null: as the card profile has it. */
  readonly attestation: AttestationPolicy | null;
}

export function effectiveRule(
  container: Pick<ContainerRule, 'validitySeconds' | 'renewalDays' | 'renewalKey'>,
  profile: CertificateProfileContents,
): EffectiveRule {
  return {
    validitySeconds: Math.min(container.validitySeconds ?? profile.validitySeconds, profile.validitySeconds),
    renewalDays: container.renewalDays ?? profile.renewalDays,
    // A new key each time can be asked for in either place; nobody can take it back in the other.
    renewalKey: container.renewalKey === 'new' ? 'new' : profile.renewalKey,
    maxKeyAgeDays: profile.maxKeyAgeDays,
    attestation: profile.attestation,
  };
}
