import type { Secret } from '@cardwright/protocol';
import type { HmacSession, PolicySession } from '../../tpm/index.ts';
import { withPinValue } from './pin-value.ts';
import type { CardPlace } from './place.ts';
import { pinRefusal } from './refusals.ts';

/**
 * Proves the PIN to the policy session, by HMAC in the salted session: the PIN itself is never sent. A wrong one costs a
 * try. Throws `pin-wrong`, `card-blocked`, `card-missing`, `card-altered`.
 */
export async function provePin(
  place: CardPlace,
  secure: HmacSession,
  session: PolicySession,
  pin: Secret,
): Promise<void> {
  try {
    await withPinValue(pin, (authValue) => session.secret(place.written, secure.proving(authValue, 'nothing-to-hide')));
  } catch (error) {
    throw await pinRefusal(error, place);
  }
}
