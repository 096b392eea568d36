import type { Secret } from '@cardwright/protocol';
import { type Bytes, cardKeyPolicy, earlierCardKeyPolicy, PIN_PROVED } from '@cardwright/protocol/tpm';
import type { HmacSession, PolicySession } from '../../tpm/index.ts';
import { withPinValue } from './pin-value.ts';
import type { CardPlace } from './place.ts';
import { pinRefusal } from './refusals.ts';

/** What a card's keys want of a policy session, all of one card the same: see `cardKeyPolicy` and `earlierCardKeyPolicy`. */
export type PinProof = 'counter' | 'secret';

/** The policies that keys of the card at `place` may have, and what each wants. */
export function proofsOf(place: CardPlace): readonly { readonly proof: PinProof; readonly keyPolicy: Bytes }[] {
  const { writtenName } = place.index;
  return [
    { proof: 'counter', keyPolicy: cardKeyPolicy(writtenName) },
    { proof: 'secret', keyPolicy: earlierCardKeyPolicy(writtenName) },
  ];
}

/**
 * Proves the PIN to the policy session, by HMAC in the salted session: the PIN itself is never sent. A wrong one costs a
 * try. Throws `pin-wrong`, `card-blocked`, `card-missing`, `card-altered`.
 */
export async function provePin(
  place: CardPlace,
  secure: HmacSession,
  session: PolicySession,
  pin: Secret,
  proof: PinProof,
): Promise<void> {
  try {
    await withPinValue(pin, (authValue) => {
      const proving = secure.proving(authValue, 'nothing-to-hide');
      return proof === 'counter'
        ? session.nv(place.written, PIN_PROVED, proving)
        : session.secret(place.written, proving);
    });
  } catch (error) {
    throw await pinRefusal(error, place);
  }
}
