import type { Assurance } from '../certificates/index.ts';

/**
 * How whoever presents an enrolment code is known to be the person. This is the one list of them: what is not here can be
 * neither asked for nor stored.
 *
 * - `code`: by the code, and nothing else.
 * - `on-behalf`: an operator verified the person, and vouches.
 * - `existing-certificate`: each certification request is signed by a certificate that the person has already.
 * - `pre-provisioned`: somebody else prepares the device; the first PIN is set under an operator's eyes, or handed over.
 *
 * A signed-in person comes with single sign-on: its cards will be only as strong as that sign-in.
 */
export const ENROLMENT_METHODS = ['code', 'on-behalf', 'existing-certificate', 'pre-provisioned'] as const;
export type EnrolmentMethod = (typeof ENROLMENT_METHODS)[number];

/**
 * How a card's first PIN comes about: its holder types one; the same while an operator looks on; or the device makes one that
 * nobody sees, which the holder exchanges for their own by a hand-over code.
 */
export const INITIAL_PINS = ['holder', 'supervised', 'handed-over'] as const;
export type InitialPin = (typeof INITIAL_PINS)[number];

export const SIGNER_ASSURANCES = ['low', 'substantial', 'high'] as const satisfies readonly Assurance[];
export type SignerAssurance = (typeof SIGNER_ASSURANCES)[number];

/** Of a card profile: which enrolments make its cards. */
export interface EnrolmentRules {
  readonly enrolmentMethods: readonly EnrolmentMethod[];
  readonly initialPin: InitialPin;
  /** Least level of an existing certificate that signs for a new card. */
  readonly signerAssurance: SignerAssurance;
}

export const DEFAULT_ENROLMENT_RULES: EnrolmentRules = {
  enrolmentMethods: ['code'],
  initialPin: 'holder',
  signerAssurance: 'substantial',
};

/** Why such rules make no sense, by the field to be changed; undefined where they do. */
export function enrolmentRulesProblem(
  rules: EnrolmentRules,
): { readonly field: keyof EnrolmentRules; readonly why: string } | undefined {
  const { enrolmentMethods: methods, initialPin } = rules;
  if (methods.length === 0) return { field: 'enrolmentMethods', why: 'Without a method no card could be made.' };
  if (new Set(methods).size < methods.length) return { field: 'enrolmentMethods', why: 'Each method is named once.' };
  if (methods.includes('pre-provisioned') && initialPin === 'holder') {
    const why = 'Whoever prepares a device would choose the PIN: with pre-provisioned, supervised or handed-over.';
    return { field: 'initialPin', why };
  }
  return undefined;
}
