import { Secret } from '@cardwright/protocol';
import type { Card, CardMaker, CardRecord } from '../port.ts';
import { VaultPart } from './vault-part.ts';

export interface MadeCard {
  readonly vault: VaultPart;
  readonly record: CardRecord;
  readonly card: Card;
}

/** A card up to and without its first write. */
export async function prepareCard(
  maker: CardMaker,
  pin: string,
  pinLimit = 5,
  vault = new VaultPart(),
): Promise<MadeCard> {
  const parent = await maker.parent();
  const administratorKey = await maker.importAdministratorKey(vault.wrapFor(parent.public));
  const slot = await maker.chooseSlot();
  await maker.prepare(slot, vault.name, Secret.fromText(pin));
  const record: CardRecord = {
    slot,
    parentName: parent.name,
    administratorKeyName: vault.name,
    administratorKey,
    successions: [],
    pinLimit,
  };
  return { vault, record, card: maker.open(record) };
}

/** A finished card. */
export async function makeCard(maker: CardMaker, pin: string, pinLimit = 5): Promise<MadeCard> {
  const made = await prepareCard(maker, pin, pinLimit);
  const challenge = await maker.firstWriteChallenge(made.record);
  await challenge.finish(made.vault.answerFirstWrite(made.record.slot, challenge.nonce, pinLimit));
  return made;
}
