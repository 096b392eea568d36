import { PIN_LENGTH, type PinPolicy } from '@cardwright/protocol/pin';
import { boolean, integer, oneOf, open, type Shape, ShapeError } from '../shape.ts';

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
});

/** The profile's PIN rules, as the server states them. */
export const pinPolicyShape: Shape<PinPolicy> = (value, at) => {
  const policy = fields(value, at);
  if (policy.minLength > policy.maxLength) throw new ShapeError(`${at}/minLength`, 'no more than maxLength');
  return policy;
};
