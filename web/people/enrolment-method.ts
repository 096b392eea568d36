import type { CardProfile, EnrolmentMethod, VerificationMethod } from '../app/contract.ts';

/** How an enrolment is made, as its form holds it. A method that the profile does not have stands for its first one. */
export interface TypedMethod {
  readonly method: EnrolmentMethod | null;
  readonly verified: VerificationMethod | null;
  readonly evidence: string;
}
export const NO_METHOD: TypedMethod = { method: null, verified: null, evidence: '' };

type Rules = Pick<CardProfile, 'enrolmentMethods' | 'initialPin'>;

export function methodOf(rules: Rules, { method }: TypedMethod): EnrolmentMethod {
  return rules.enrolmentMethods.find((one) => one === method) ?? rules.enrolmentMethods[0] ?? 'code';
}

/** Who vouches for a person, and who gives a hand-over code away, has made sure who it is. */
export function wantsVerification(rules: Rules, typed: TypedMethod): boolean {
  return methodOf(rules, typed) === 'on-behalf' || rules.initialPin === 'handed-over';
}

export interface SaidMethod {
  method?: EnrolmentMethod;
  verification?: { method: VerificationMethod; evidence: string };
}

/** @returns null while something is missing: the form says so at its field, and nothing is sent. */
export function saidMethod(rules: Rules | undefined, typed: TypedMethod): SaidMethod | null {
  if (rules === undefined) return {};
  const method = methodOf(rules, typed);
  if (!wantsVerification(rules, typed)) return { method };
  const evidence = typed.evidence.trim();
  if (typed.verified === null || evidence === '') return null;
  return { method, verification: { method: typed.verified, evidence } };
}
