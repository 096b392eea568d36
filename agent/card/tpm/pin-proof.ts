import type { Secret } from '@cardwright/protocol';
import { PIN_PROVED } from '@cardwright/protocol/tpm';
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
    await withPinValue(pin, (authValue) => {
      const proving = secure.proving(authValue, 'nothing-to-hide');
      return session.nv(place.written, PIN_PROVED, proving);
    });
  } catch (error) {
    throw await pinRefusal(error, place);
  }
}
