import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Secret } from '@cardwright/protocol';
import { handOverKey, parseHandOverCode, sealPin } from '@cardwright/protocol/enrolment';
import { expect } from 'vitest';
import { type CardAct, type HeldCard, hasOneKnownPin, PINS } from './card-acts-faults.ts';
import { refusalOf } from './run.ts';

const CODE = '7K3M-92QF-XD4T-0B8N';
const SALT = new Uint8Array(16).fill(7);

const otherPin = ({ pin }: HeldCard) => (pin === PINS[0] ? PINS[1] : PINS[0]);
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

/** The store says of the card what it says of one that was prepared for somebody else: the PIN that it has is sealed. */
export async function seal({ device, cardId, pin }: HeldCard): Promise<void> {
  const code = parseHandOverCode(CODE);
  if (code === undefined) throw new Error('no hand-over code');
  const { publicKey } = await handOverKey(code, SALT);
  const envelopes = [sealPin(Secret.fromText(pin), publicKey, cardId)];
  const file = join(device.store, 'store.json');
  const document = JSON.parse(readFileSync(file, 'utf8'));
  const card = document.cards.find((one: { cardId: string }) => one.cardId === cardId);
  card.handOver = { state: 'sealed', publicKey: base64(publicKey), salt: base64(SALT), envelopes };
  writeFileSync(file, JSON.stringify(document));
}

export const handOver: CardAct = (card, env) =>
  card.device.agent(['hand-over', '--card', card.serial, '--pin-stdin'], {
    input: `${CODE}\n${otherPin(card)}\n`,
    env,
  });

/** The same command again, and the card opens with the PIN that its holder chose, and with no other. */
export async function isHandedOver(card: HeldCard): Promise<void> {
  const chosen = otherPin(card);
  const ran = await handOver(card, {});
  expect([null, 'hand-over-not-pending'], ran.stderr).toContain(refusalOf(ran));
  await hasOneKnownPin(card);
  expect(card.pin).toBe(chosen);
}
