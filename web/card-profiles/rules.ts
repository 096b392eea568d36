import { type CharacterRule, DEFAULT_PIN_POLICY, type PinPolicy } from '@cardwright/protocol/pin';
import type { CardProfile, ChangedCardProfile } from '../app/contract.ts';

type Container = CardProfile['containers'][number];

/** What of a profile of TPM cards can be changed, as its form holds it: numbers as they are typed. */
export interface Rules {
  readonly displayName: string;
  readonly pinLimit: string;
  readonly minLength: string;
  readonly maxLength: string;
  readonly characters: Readonly<Record<Character, CharacterRule>>;
  readonly refuse: readonly Refusal[];
  readonly attestation: CardProfile['attestation'];
  readonly enrolmentMethods: CardProfile['enrolmentMethods'];
  readonly initialPin: CardProfile['initialPin'];
  readonly signerAssurance: CardProfile['signerAssurance'];
  readonly selfService: boolean;
  readonly containers: readonly Container[];
}
export const CHARACTERS = ['uppercase', 'lowercase', 'digits', 'special'] as const;
export type Character = (typeof CHARACTERS)[number];
export const REFUSALS = ['refuseSequences', 'refuseRepeats', 'refuseCommon'] as const;
export type Refusal = (typeof REFUSALS)[number];

export const NEW_CONTAINER: Container = {
  container: '',
  keyType: 'ec-p256',
  certificateProfile: 'smart-card-sign-in',
};

/** What a new profile has before anything is chosen: what the server would take for what is left out. */
export const NEW_RULES: Rules = {
  displayName: '',
  pinLimit: '5',
  ...policyTyped(DEFAULT_PIN_POLICY),
  attestation: 'preferred',
  enrolmentMethods: ['code'],
  initialPin: 'holder',
  signerAssurance: 'substantial',
  selfService: false,
  containers: [{ ...NEW_CONTAINER, container: 'sign-in' }],
};

/** The policy of a profile as the contract leaves it open: an object, which cms has judged. */
export function rulesOf(profile: CardProfile): { readonly kind: CardProfile['kind']; readonly pinPolicy: PinPolicy } {
  return { kind: profile.kind, pinPolicy: { ...DEFAULT_PIN_POLICY, ...(profile.pinPolicy as Partial<PinPolicy>) } };
}

export function typedRules(profile: CardProfile): Rules {
  return {
    displayName: profile.displayName,
    pinLimit: String(profile.pinLimit),
    ...policyTyped(rulesOf(profile).pinPolicy),
    attestation: profile.attestation,
    enrolmentMethods: profile.enrolmentMethods,
    initialPin: profile.initialPin,
    signerAssurance: profile.signerAssurance,
    selfService: profile.selfServiceUnblock,
    containers: profile.containers,
  };
}

function policyTyped(policy: PinPolicy): Pick<Rules, 'minLength' | 'maxLength' | 'characters' | 'refuse'> {
  const { uppercase, lowercase, digits, special } = policy;
  return {
    minLength: String(policy.minLength),
    maxLength: String(policy.maxLength),
    characters: { uppercase, lowercase, digits, special },
    refuse: REFUSALS.filter((one) => policy[one]),
  };
}

/** @returns null where a number is none: the form says so at its field, and nothing is sent. */
export function changeOf(rules: Rules): Omit<ChangedCardProfile, 'reason'> | null {
  const [pinLimit, minLength, maxLength] = [rules.pinLimit, rules.minLength, rules.maxLength].map(wholeNumber);
  if (pinLimit === undefined || minLength === undefined || maxLength === undefined) return null;
  if (rules.displayName.trim() === '' || rules.containers.some(({ container }) => container === '')) return null;
  return {
    displayName: rules.displayName.trim(),
    pinLimit,
    pinPolicy: {
      minLength,
      maxLength,
      ...rules.characters,
      refuseSequences: rules.refuse.includes('refuseSequences'),
      refuseRepeats: rules.refuse.includes('refuseRepeats'),
      refuseCommon: rules.refuse.includes('refuseCommon'),
    },
    attestation: rules.attestation,
    enrolmentMethods: [...rules.enrolmentMethods],
    initialPin: rules.initialPin,
    signerAssurance: rules.signerAssurance,
    selfServiceUnblock: rules.selfService,
    containers: rules.containers.map((one) => ({ ...one })) as NonNullable<ChangedCardProfile['containers']>,
  };
}

export function wholeNumber(typed: string): number | undefined {
  return /^\d{1,4}$/.test(typed.trim()) ? Number(typed) : undefined;
}
