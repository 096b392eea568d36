import { DomainError, isDomainError, type Secret } from '@cardwright/protocol';
import { handOverKey, openSealedPin, parseHandOverCode, sealPin } from '@cardwright/protocol/enrolment';
import type { Card } from '../card/port.ts';
import { openCard } from '../commands/choose-card.ts';
import type { Context } from '../commands/command.ts';
import type { StoredCard, StoredHandOver } from '../store/document.ts';
import type { PinSource } from '../terminal/port.ts';

export interface HandOverWork {
  readonly context: Context;
  readonly storeDirectory: string | undefined;
  readonly tpm: string | undefined;
}

type Sealed = Extract<StoredHandOver, { state: 'sealed' }>;
type Opened = { readonly envelope: string; readonly pin: Secret };

const bytes = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'));

/**
 * The holder of the hand-over code sets a PIN of their own. The new PIN is sealed beside the first one before the card gets it,
 * and both are forgotten when it has: cut off anywhere, the code still opens the PIN that the card has. Then the one that it
 * has is found out, which costs a try, and gives it back. Throws `hand-over-code-malformed` (invalid), `hand-over-code-wrong`
 * (unprocessable): neither costs a try; `hand-over-envelope-invalid`; those of the card.
 */
export async function takeHandOver(
  work: HandOverWork,
  card: StoredCard,
  handOver: Sealed,
  pins: PinSource,
): Promise<StoredCard> {
  const opened = await openEnvelopes(card, handOver, pins);
  try {
    const newPin = await pins.choose('Your own PIN', card.pinPolicy);
    try {
      await work.context.useCards(work.tpm, async (cards) => {
        const open = await openCard(work.context.readStore(work.storeDirectory), cards, card);
        const current = await currentPin(work, card, handOver, open, opened);
        const next = sealPin(newPin, bytes(handOver.publicKey), card.cardId);
        await keep(work, card.cardId, { ...handOver, envelopes: [current.envelope, next] });
        const { approvedPolicy, signature } = card.selfChange;
        const approval = { approvedPolicy: bytes(approvedPolicy), signature: bytes(signature) };
        await open.changePin(current.pin, newPin, approval);
      });
    } finally {
      newPin.wipe();
    }
  } finally {
    for (const { pin } of opened) pin.wipe();
  }
  return await keep(work, card.cardId, { state: 'set' });
}

/** The key pair is made of the code, and compared with what the PIN was sealed to: nothing is tried at the card. */
async function openEnvelopes(card: StoredCard, handOver: Sealed, pins: PinSource): Promise<readonly Opened[]> {
  const typed = await pins.enter(`Hand-over code of card ${card.serial}`);
  let code: ReturnType<typeof parseHandOverCode>;
  try {
    code = typed.use((text) => parseHandOverCode(Buffer.from(text).toString('utf8')));
  } finally {
    typed.wipe();
  }
  if (code === undefined) {
    throw new DomainError(
      'invalid',
      'hand-over-code-malformed',
      'A hand-over code has four groups of four characters, such as 7K3M-92QF-XD4T-0B8N (the enrolment code has three).',
    );
  }
  const { privateKey, publicKey } = await handOverKey(code, bytes(handOver.salt));
  if (!Buffer.from(publicKey).equals(bytes(handOver.publicKey))) {
    throw new DomainError(
      'unprocessable',
      'hand-over-code-wrong',
      `This is not the hand-over code of card ${card.serial}. No try was used up. Without the code, have the card unblocked.`,
    );
  }
  return handOver.envelopes.map((envelope) => ({ envelope, pin: openSealedPin(envelope, privateKey, card.cardId) }));
}

/** Of two, after a change that was cut off: the newer one if it is the card's, else the older one. */
async function currentPin(
  work: HandOverWork,
  card: StoredCard,
  handOver: Sealed,
  open: Card,
  opened: readonly Opened[],
): Promise<Opened> {
  const [older, newer] = opened;
  if (older === undefined) {
    throw new DomainError(
      'unprocessable',
      'hand-over-envelope-invalid',
      'There is no sealed PIN. Have the card unblocked.',
    );
  }
  if (newer === undefined) return older;
  const current = (await isPin(work, card, open, newer.pin)) ? newer : older;
  // The one that it is not is forgotten, so that there are never three.
  await keep(work, card.cardId, { ...handOver, envelopes: [current.envelope] });
  return current;
}

async function isPin(work: HandOverWork, card: StoredCard, open: Card, pin: Secret): Promise<boolean> {
  const [key] = card.keys;
  if (key === undefined) throw new DomainError('conflict', 'container-unknown', `Card ${card.serial} has no key.`);
  try {
    await open.sign({ key: bytes(key.blob), hash: 'sha256', digest: work.context.randomBytes(32), pin });
    return true;
  } catch (error) {
    if (isDomainError(error) && error.code === 'pin-wrong') return false;
    throw error;
  }
}

async function keep(work: HandOverWork, cardId: string, handOver: StoredHandOver): Promise<StoredCard> {
  return await work.context.changeStore(work.storeDirectory, async (store) => {
    const card = store.card(cardId);
    if (card?.state !== 'active') {
      throw new DomainError('conflict', 'card-not-in-use', 'The card is not in use here any more.');
    }
    const kept = { ...card, handOver };
    store.putCard(kept);
    return kept;
  });
}
