import { DomainError } from '@cardwright/protocol';
import { type ChallengeMode, IMPORTABLE_ALGORITHMS, type ImportableAlgorithm, type KeyStrategy } from './card.ts';
import type { CardProfileView, KeyOrigin, RegisterCardInput } from './ports.ts';

/** What is to be done with the key of an existing card, by its profile or by what was sent. */
export interface KeyPlan {
  readonly algorithm: ImportableAlgorithm;
  readonly challengeMode: ChallengeMode;
  readonly keyStrategy: KeyStrategy;
  readonly namedKey: string | null;
  readonly key:
    | { readonly kind: 'sealed'; readonly jwe: string }
    | { readonly kind: 'named'; readonly origin: KeyOrigin; readonly check: { readonly kcv?: string } }
    /** Nobody has the key. */
    | { readonly kind: 'none' };
  /** JWE. */
  readonly puk: string | null;
}

/**
 * @param profile null: there is no profile of the name that was given; undefined: none was given.
 * @throws DomainError (unprocessable) `card-profile-unknown`, `card-profile-not-for-registration`; `field-invalid`, with the
 *   field that is missing or too many.
 */
export function planKey(input: RegisterCardInput, profile: CardProfileView | null | undefined): KeyPlan {
  if (profile === undefined) return withoutProfile(input);
  if (profile === null) {
    const detail = 'There is no such card profile.';
    throw new DomainError('unprocessable', 'card-profile-unknown', detail, {
      fields: [{ pointer: '/cardProfile', detail }],
    });
  }
  const algorithm = IMPORTABLE_ALGORITHMS.find((one) => one === profile.algorithm);
  if (profile.kind !== 'minidriver' || algorithm === undefined) {
    const detail = 'Cards of this profile are made on their device: create an enrolment.';
    throw new DomainError('unprocessable', 'card-profile-not-for-registration', detail, {
      fields: [{ pointer: '/cardProfile', detail }],
    });
  }
  demandSame('/algorithm', input.algorithm, algorithm);
  demandSame('/challengeMode', input.challengeMode, profile.challengeMode);
  const { challengeMode, keyStrategy, namedKey } = profile;
  return {
    algorithm,
    challengeMode,
    keyStrategy,
    namedKey,
    key: keyOf(input, profile),
    puk: pukOf(input, profile.puk),
  };
}

function withoutProfile(input: RegisterCardInput): KeyPlan {
  const { algorithm, administratorKey: jwe } = input;
  if (algorithm === undefined) throw wrong('/algorithm', 'Say the algorithm of the key, or a card profile.');
  if (jwe === undefined) throw wrong('/administratorKey', 'Send the sealed key, or a card profile that needs none.');
  refuse('/diversifier', input.diversifier, 'only of a profile whose keys follow from the master of a fleet');
  refuse('/keyCheckValue', input.keyCheckValue, 'only of a profile whose keys follow from a named key');
  return {
    algorithm,
    challengeMode: input.challengeMode ?? 'ecb',
    keyStrategy: 'random-stored',
    namedKey: null,
    key: { kind: 'sealed', jwe },
    puk: pukOf(input, 'none'),
  };
}

function keyOf(input: RegisterCardInput, profile: CardProfileView): KeyPlan['key'] {
  const { keyStrategy, namedKey, derivation } = profile;
  const { administratorKey, diversifier, keyCheckValue } = input;
  if (keyStrategy !== 'deterministic') {
    refuse('/diversifier', diversifier, 'only of a profile whose keys follow from the master of a fleet');
  }
  if (keyStrategy === 'random-stored') {
    refuse('/keyCheckValue', keyCheckValue, 'only of a profile whose keys follow from a named key');
    if (administratorKey === undefined)
      throw wrong('/administratorKey', 'This profile stores the key: send it, sealed.');
    return { kind: 'sealed', jwe: administratorKey };
  }
  refuse('/administratorKey', administratorKey, 'not with this profile, which stores no key of the card');
  if (keyStrategy === 'random-not-stored') {
    refuse('/keyCheckValue', keyCheckValue, 'only of a profile whose keys follow from a named key');
    if (input.takeOver === true)
      throw wrong('/takeOver', 'Nobody has the key of such a card, so it cannot be changed.');
    return { kind: 'none' };
  }
  const check = keyCheckValue === undefined ? {} : { kcv: keyCheckValue.toUpperCase() };
  if (namedKey === null) throw new Error(`the profile ${profile.name} names no key`);
  if (keyStrategy === 'uniform') return { kind: 'named', origin: { strategy: 'uniform', keyName: namedKey }, check };
  if (derivation === null) throw new Error(`the profile ${profile.name} names no derivation`);
  if (diversifier === undefined)
    throw wrong('/diversifier', 'Send what the key of the card was diversified by, in hex.');
  const bytes = new Uint8Array(Buffer.from(diversifier, 'hex'));
  const origin = { strategy: 'deterministic', derivation, keyName: namedKey, diversifier: bytes } as const;
  return { kind: 'named', origin, check };
}

function pukOf({ puk }: RegisterCardInput, rule: CardProfileView['puk']): string | null {
  if (puk === undefined) {
    if (rule === 'required') throw wrong('/puk', 'Cards of this profile have a PUK: send it, sealed.');
    return null;
  }
  if (rule === 'none') throw wrong('/puk', 'Cards of this profile have no PUK.');
  return puk;
}

function demandSame(pointer: string, given: string | undefined, wanted: string): void {
  if (given !== undefined && given !== wanted)
    throw wrong(pointer, `The profile says ${wanted}; leave this field out.`);
}

function refuse(pointer: string, given: unknown, when: string): void {
  if (given !== undefined) throw wrong(pointer, `Sent, and right ${when}.`);
}

function wrong(pointer: string, detail: string): DomainError {
  return new DomainError('unprocessable', 'field-invalid', detail, { fields: [{ pointer, detail }] });
}
