import { PIN_LENGTH, type PinPolicy, pinPolicyProblem } from '@cardwright/protocol/pin';
import { boolean, integer, oneOf, open, optional, type Shape, ShapeError } from '../shape.ts';

const rule = oneOf('allowed', 'required', 'disallowed');

const fields = open({
  minLength: integer(PIN_LENGTH.least, PIN_LENGTH.most),
  maxLength: integer(PIN_LENGTH.least, PIN_LENGTH.most),
  uppercase: rule,
  lowercase: rule,
  digits: rule,
  special: rule,
  refuseSequences: boolean,
  refuseRepeats: boolean,
  /** Absent: the server, or the agent that wrote the store, is of before the list was. */
  refuseCommon: (value, at) => optional(boolean)(value, at) ?? false,
});

/** The profile's PIN rules, as the server states them. */
export const pinPolicyShape: Shape<PinPolicy> = (value, at) => {
  const policy = fields(value, at);
  const problem = pinPolicyProblem(policy);
  if (problem !== undefined) throw new ShapeError(at, `a policy that leaves some PIN: ${problem}`);
  return policy;
};
