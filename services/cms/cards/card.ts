import { type AllowedAction, offer } from '../kernel/allowed-action.ts';
import type { Permission } from '../kernel/permission.ts';
import { type CardState, stateAfter, whyNot } from './state.ts';

export const ALGORITHMS = ['tdes', 'aes-128', 'aes-192', 'aes-256', 'hmac-sha256'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];
/** Those whose keys exist before the vault knows them. A TPM card's key is always made in the vault. */
export const IMPORTABLE_ALGORITHMS = ['tdes', 'aes-128', 'aes-192', 'aes-256'] as const satisfies readonly Algorithm[];
export type ImportableAlgorithm = (typeof IMPORTABLE_ALGORITHMS)[number];
export const KEY_STRATEGIES = ['uniform', 'random-not-stored', 'random-stored', 'deterministic'] as const;
export type KeyStrategy = (typeof KEY_STRATEGIES)[number];
export type ChallengeMode = 'ecb' | 'cbc';

/** What the database knows of a card. Its administrator key is in the vault, under the card's id. */
export interface Card {
  readonly id: string;
  /** Printed on the card's label, and bound into each challenge: `CW-7K3M-92QF`. */
  readonly serial: string;
  readonly personId: string;
  readonly deviceId: string | null;
  readonly profileName: string | null;
  readonly kind: 'tpm' | 'minidriver';
  readonly algorithm: Algorithm;
  readonly challengeMode: ChallengeMode;
  readonly keyStrategy: KeyStrategy;
  /** Null until the vault has a key for it. */
  readonly keyVersion: number | null;
  /** Since when it has that key. */
  readonly keySetAt: Date;
  /** Its key is known to others: nothing is done with the card until it is changed. */
  readonly takeOverPending: boolean;
  /** In the vault: the uniform key that the card has, or the master of the fleet that its key follows from. */
  readonly namedKey: string | null;
  /** With one, the administrator key can't reset the PIN. */
  readonly hasPuk: boolean;
  readonly pukShownAt: Date | null;
  readonly state: CardState;
  /** TPM handle of the PIN index. */
  readonly nvIndex: number | null;
  readonly pinLimit: number | null;
  /** As of the last check-in. */
  readonly triesLeft: number | null;
  readonly createdAt: Date;
  readonly stateChangedAt: Date;
}

/** A card with the words for whose it is and where, as readers see it. */
export interface CardView extends Card {
  readonly person: { readonly id: string; readonly displayName: string; readonly userPrincipalName: string };
  readonly device: { readonly id: string; readonly hostName: string } | null;
  /** A change of its key is under way. */
  readonly keyChangeOpen: boolean;
  /** Nobody knows its PIN until its holder has exchanged it for their own. */
  readonly initialPinPending: boolean;
  /** Whether another card is to take its place, or has. */
  readonly reissue: ReissueState;
  readonly replaces: CardRef | null;
  readonly replacedBy: CardRef | null;
}

export type ReissueState = 'none' | 'open' | 'completed';
export interface CardRef {
  readonly id: string;
  readonly serial: string;
}

export type CardAction = 'unblock' | 'change-administrator-key' | 'reissue' | 'retire' | 'show-puk';

/** What this caller may do with this card now, and why not what they may not. */
export function allowedCardActions(
  card: Pick<Card, 'hasPuk' | 'pukShownAt'> & Parameters<typeof whyNoKeyChange>[0] & Parameters<typeof whyNoReissue>[0],
  permissions: ReadonlySet<Permission>,
): AllowedAction<CardAction>[] {
  const unless = (act: 'unblock' | 'retire') => (stateAfter(card.state, act) === null ? whyNot(card.state, act) : null);
  const noKey = card.keyVersion === null ? 'No administrator key of this card is in the vault.' : null;
  const shown = card.pukShownAt === null ? null : 'The PUK was shown already, and is shown once.';
  return [
    offer(
      'unblock',
      'unblock:perform',
      permissions,
      whyNotTakenOver(card) ?? unless('unblock') ?? whyNoAnswer(card)?.why ?? noKey,
    ),
    offer('change-administrator-key', 'keys:change', permissions, whyNoKeyChange(card)?.why ?? null),
    offer('reissue', 'enrolments:create', permissions, whyNoReissue(card)?.why ?? null),
    offer('retire', 'cards:retire', permissions, unless('retire')),
    ...(card.hasPuk ? [offer('show-puk', 'puk:show', permissions, shown)] : []),
  ];
}

/**
 * Why the administrator key of this card is no way to its PIN, whatever state the card is in. Null where it is one.
 * With a PUK set, a card lets nobody reset its PIN by the administrator key.
 */
export function whyNoAnswer(card: {
  readonly keyStrategy: string;
  readonly hasPuk: boolean;
}): { readonly code: string; readonly why: string } | null {
  if (card.hasPuk) {
    return {
      code: 'card-has-puk',
      why: 'This card has a PUK, so its administrator key cannot reset the PIN. The PUK can.',
    };
  }
  if (card.keyStrategy === 'random-not-stored') {
    return {
      code: 'administrator-key-not-stored',
      why: 'The key of this card was not stored, as its profile asks. Only a PUK or a reissue can help.',
    };
  }
  return null;
}

/** For a person: what has to come first. Null where nothing has. */
export function whyNotTakenOver(card: { readonly takeOverPending: boolean; readonly state: string }): string | null {
  if (!card.takeOverPending || card.state !== 'created') return null;
  return 'This card is not taken over yet: its device has to change the administrator key first.';
}

/** Why the key of this card can't be changed now, whoever asks and why. Null where it can. */
export function whyNoKeyChange(
  card: Pick<Card, 'state' | 'keyVersion' | 'keyStrategy' | 'deviceId' | 'takeOverPending'> & {
    readonly keyChangeOpen: boolean;
  },
): { readonly code: string; readonly why: string } | null {
  const waits = card.takeOverPending && card.state === 'created';
  if (!waits && card.state !== 'active' && card.state !== 'blocked') {
    return { code: 'card-not-active', why: whyNot(card.state, 'unblock') };
  }
  if (card.keyVersion === null || card.keyStrategy === 'random-not-stored') {
    const why = 'Nobody has the administrator key of this card, so it cannot be changed. Reissue the card.';
    return { code: 'administrator-key-not-stored', why };
  }
  if (card.deviceId === null) {
    const why = 'The agent of a device changes the key, and this card is on no device that is known.';
    return { code: 'card-without-device', why };
  }
  if (card.keyChangeOpen) {
    return { code: 'key-change-open', why: 'A change of this card’s key is under way already.' };
  }
  return null;
}

/**
 * Why no card can be made to take the place of this one. Null where one can: also of a card that is out of use already,
 * whose code may have been lost.
 */
export function whyNoReissue(
  card: Pick<Card, 'kind' | 'state'> & { readonly reissue: ReissueState },
): { readonly kind: 'conflict' | 'unprocessable'; readonly code: string; readonly why: string } | null {
  if (card.kind !== 'tpm') {
    const why =
      'This card was not made here, so it cannot be reissued. Retire it, and register the one that follows it.';
    return { kind: 'unprocessable', code: 'card-not-reissuable', why };
  }
  if (card.state === 'requested' || card.state === 'created') {
    return { kind: 'conflict', code: 'card-not-active', why: whyNot(card.state, 'unblock') };
  }
  if (card.reissue === 'completed') {
    return { kind: 'conflict', code: 'card-already-replaced', why: 'Another card has taken the place of this one.' };
  }
  if (card.reissue === 'open') {
    const why = 'This card is being reissued already. Cancel that enrolment first, if its code is lost.';
    return { kind: 'conflict', code: 'reissue-open', why };
  }
  return null;
}

/** Shown wherever the card or its profile is. */
export function keyStrategyWarning(strategy: KeyStrategy): string | null {
  if (strategy !== 'uniform') return null;
  return 'Unsafe: many cards share this administrator key. Who learns it from one card can reset the PIN of all of them.';
}

/** NIST SP 800-131A revision 2, table 1: encryption with TDES is disallowed after 2023. */
export function algorithmWarning(algorithm: Algorithm): string | null {
  return algorithm === 'tdes' ? 'Legacy interoperability: NIST disallows encryption with TDES after 2023.' : null;
}
