import { DomainError } from '@cardwright/protocol';
import type { EnrolmentMethod, EnrolmentRules, InitialPin } from '../cards/index.ts';
import type { VerificationMethod } from '../kernel/verification.ts';

/** How an operator made sure who the person is. */
export interface Verification {
  readonly method: VerificationMethod;
  readonly evidence: string;
  readonly note?: string | undefined;
}

/**
 * By which method a card of the profile is enrolled: the one that is asked for, or the profile's first.
 * @throws DomainError `enrolment-method-not-allowed` (unprocessable) with `data.allowed`.
 */
export function chooseMethod(
  { enrolmentMethods }: Pick<EnrolmentRules, 'enrolmentMethods'>,
  wanted: EnrolmentMethod | undefined,
): EnrolmentMethod {
  const method = enrolmentMethods.find((one) => wanted === undefined || one === wanted);
  if (method !== undefined) return method;
  const detail = `Cards of this profile are not enrolled so, but by: ${enrolmentMethods.join(', ')}.`;
  throw new DomainError('unprocessable', 'enrolment-method-not-allowed', detail, {
    fields: [{ pointer: '/method', detail }],
    data: { allowed: [...enrolmentMethods] },
  });
}

/**
 * Whether an operator has to have verified the person when the enrolment is made: who vouches, and who gives a hand-over code
 * away. Where the first PIN is set under supervision the person is verified then.
 */
export function wantsVerification(method: EnrolmentMethod, initialPin: InitialPin): boolean {
  return method === 'on-behalf' || initialPin === 'handed-over';
}

/** @throws DomainError `verification-required`, `verification-not-for-method` (unprocessable). */
export function demandVerification(
  method: EnrolmentMethod,
  initialPin: InitialPin,
  verification: Verification | undefined,
): void {
  const wanted = wantsVerification(method, initialPin);
  if (wanted === (verification !== undefined)) return;
  const [code, detail] = wanted
    ? ['verification-required', 'Say how you verified who the person is: method and evidence.']
    : [
        'verification-not-for-method',
        'Nobody vouches for the person in this way of enrolment: leave the verification out, or enrol on behalf.',
      ];
  throw new DomainError('unprocessable', code, detail, { fields: [{ pointer: '/verification', detail }] });
}

/** A person as far as an operator can be recognised in them. */
export interface Vouched {
  readonly userPrincipalName: string;
  readonly email: string | null;
}

/**
 * Nobody vouches for themself. Operators are no persons of the directory, so what can be compared is the name with which an
 * operator signs in: with the person's user principal name, its part before the @, and the mail address, likewise. An operator
 * who goes by another name is not recognised.
 * @throws DomainError `vouching-for-oneself` (forbidden).
 */
export function demandNotOneself(operatorName: string, { userPrincipalName, email }: Vouched): void {
  const names = [userPrincipalName, email].flatMap((name) => (name === null ? [] : [name, name.split('@')[0] ?? name]));
  if (!names.some((name) => name.toLowerCase() === operatorName.toLowerCase())) return;
  throw new DomainError(
    'forbidden',
    'vouching-for-oneself',
    'Nobody vouches for themself: have another operator verify you.',
  );
}
