import { DomainError, Secret } from '@cardwright/protocol';
import { randomPin, sealPin } from '@cardwright/protocol/enrolment';
import type { EnrolmentServer } from '../server/port.ts';
import type { StoredHandOver } from '../store/document.ts';
import type { Claim } from './claim.ts';
import type { JournalState } from './journal.ts';
import type { EnrolmentPorts } from './ports.ts';

const bytes = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'));

/** However slowly an operator comes: after that, the same command goes on waiting. */
const LONGEST_WAIT_MS = 15 * 60_000;

/** Whether something is still to be signed with the card's PIN. */
export const needsPin = (state: JournalState): boolean =>
  state.step !== 'written' || state.containers.some(({ at }) => at === 'planned' || at === 'keyed');

/** What only the hand-over code opens. Throws `server-answer-invalid` for a claim without a key to seal to. */
export function sealedFirstPin(
  claim: Claim,
  randomBytes: (length: number) => Uint8Array,
): { readonly pin: Secret; readonly envelope: string } {
  const { publicKey } = handOverOf(claim);
  const pin = Secret.fromText(randomPin(claim.profile.pinPolicy, randomBytes));
  return { pin, envelope: sealPin(pin, bytes(publicKey), claim.cardId) };
}

/** What the store keeps of it, until its holder has set their own. */
export function storedHandOver(claim: Claim, envelope: string | undefined): StoredHandOver | null {
  if (claim.initialPin !== 'handed-over') return null;
  if (envelope === undefined) {
    throw new DomainError('internal', 'journal-out-of-order', 'The card was made, and its PIN was not sealed.');
  }
  return { state: 'sealed', ...handOverOf(claim), envelopes: [envelope] };
}

function handOverOf({ handOver }: Claim): { publicKey: string; salt: string } {
  if (handOver !== null) return handOver;
  const detail = 'The server wants a first PIN that is handed over, and gives no key to seal it to.';
  throw new DomainError('unavailable', 'server-answer-invalid', detail);
}

/**
 * Shows the confirmation code until an operator has confirmed that the PIN was set under their eyes. Nothing else is done
 * meanwhile, and cut off, the same command goes on here. Throws `initial-pin-not-confirmed` (unavailable).
 */
export async function awaitSupervision(
  ports: Pick<EnrolmentPorts, 'now' | 'sleep' | 'showConfirmationCode'>,
  server: EnrolmentServer,
  claim: Claim,
): Promise<void> {
  const until = ports.now().getTime() + LONGEST_WAIT_MS;
  let shown: string | undefined;
  for (;;) {
    const { confirmationCode, confirmed, pollAfterSeconds } = await server.initialPin(claim.enrolmentId);
    if (confirmed) return;
    if (confirmationCode !== shown) ports.showConfirmationCode(claim.cardSerial, confirmationCode);
    shown = confirmationCode;
    if (ports.now().getTime() >= until) {
      const detail = 'No operator has confirmed yet that the PIN was set under their eyes. Run the same command again.';
      throw new DomainError('unavailable', 'initial-pin-not-confirmed', detail);
    }
    await ports.sleep(Math.max(1, pollAfterSeconds) * 1000);
  }
}
