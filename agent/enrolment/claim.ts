import { KEY_TYPE_NAMES } from '@cardwright/protocol';
import { base64, integer, list, oneOf, open, optional, type Shape, type Shaped, text } from '../shape.ts';
import { pinPolicyShape } from './pin-policy.ts';

/** A container's name becomes part of what is shown and typed, so it is kept to a few plain characters. */
export const containerName = text(32, /^[a-z0-9][a-z0-9-]*$/);
/** Ids go into URL paths: nothing that could step out of one. */
export const opaqueId = text(64, /^[A-Za-z0-9][A-Za-z0-9._-]*$/);
/** As printed on the card's label, such as `CW-7K3M-92QF`. */
export const cardSerial = text(40, /^[A-Za-z0-9][A-Za-z0-9-]*$/);

export const personShape = open({ displayName: text(200), userPrincipalName: text(320) });
export type Person = Shaped<typeof personShape>;

export const containerPlan = open({ container: containerName, keyType: oneOf(...KEY_TYPE_NAMES) });
export type ContainerPlan = Shaped<typeof containerPlan>;

const policy = optional(oneOf('required', 'preferred', 'off'));
/** Whether the device is to prove its hardware. A server that does not say does not ask. */
const attestationPolicy: Shape<'required' | 'preferred' | 'off'> = (value, at) => policy(value, at) ?? 'off';

const given = {
  method: optional(oneOf('code', 'on-behalf', 'existing-certificate', 'pre-provisioned')),
  initialPin: optional(oneOf('holder', 'supervised', 'handed-over')),
};
/** A server, or a store, of before there were others says nothing of it. */
const enrolmentMethod: Shape<NonNullable<ReturnType<typeof given.method>>> = (value, at) =>
  given.method(value, at) ?? 'code';
const initialPin: Shape<NonNullable<ReturnType<typeof given.initialPin>>> = (value, at) =>
  given.initialPin(value, at) ?? 'holder';

/** What a PIN that nobody sees is sealed to: X25519, and the salt with which its other half follows from the hand-over code. */
export const handOverFields = { publicKey: base64(32), salt: base64(16) };

/** What the server says that the enrolment code stands for. */
export const claimShape = open({
  enrolmentId: opaqueId,
  cardId: opaqueId,
  cardSerial,
  deviceId: opaqueId,
  person: personShape,
  method: enrolmentMethod,
  initialPin,
  handOver: optional(open(handOverFields)),
  profile: open({
    pinLimit: integer(1, 100),
    pinPolicy: pinPolicyShape,
    containers: list(containerPlan, 30),
    attestation: attestationPolicy,
  }),
});
export type Claim = Shaped<typeof claimShape>;
