import { DomainError } from '@cardwright/protocol';
import { flag, required } from '../arguments.ts';
import type { CardMaker } from '../card/port.ts';
import { isPlaced, type Journal } from '../enrolment/journal.ts';
import type { Store } from '../store/store.ts';
import { bySerial, openCard } from './choose-card.ts';
import { type Context, command, deviceOptions, jsonOption } from './command.ts';

export const destroyCommand = command({
  name: 'destroy',
  summary: 'destroy a card for ever: its keys can never be used again',
  about:
    'Tells the server first, which revokes the certificates, then removes the card from the TPM and from the store. ' +
    'Also clears away an unfinished enrolment. Asks for the serial once more, unless --yes is given. If it is ' +
    'interrupted, run it again.',
  options: {
    card: required('SERIAL', 'the card'),
    yes: flag("don't ask"),
    offline: flag("don't tell the server: have an operator retire the card"),
    ...deviceOptions,
    ...jsonOption,
  },
  examples: ['cardwright-agent destroy --card CW-7K3M-92QF'],
  run: async (context, options) => {
    const serial = await context.changeStore(options.store, async (store) => {
      const journal = unfinished(store, options.card);
      const shown = journal === undefined ? bySerial(store.document.cards, options.card).serial : options.card;
      if (!options.yes) await confirm(context, shown);
      await context.useCards(options.tpm, (cards) =>
        journal === undefined
          ? destroyCard(context, store, cards, shown, options.offline)
          : destroyUnfinished(context, store, cards, journal, options.offline),
      );
      return shown;
    });
    if (options.json) context.output.print(JSON.stringify({ serial, destroyed: true }, null, 2));
    else context.output.print(`Card ${serial} is destroyed.`);
  },
});

async function confirm(context: Context, serial: string): Promise<void> {
  const lines = context.lines(false);
  const typed = await lines.line(`Card ${serial} will be destroyed for ever. Type its serial to go on`);
  lines.close();
  if (typed?.trim().toLowerCase() === serial.toLowerCase()) return;
  throw new DomainError('invalid', 'confirmation-wrong', 'That is not the serial of the card. Nothing was changed.');
}

/** The intent is stored first, so that a card whose end was begun is not used as if nothing had happened. */
async function destroyCard(context: Context, store: Store, cards: CardMaker, serial: string, offline: boolean) {
  const card = bySerial(store.document.cards, serial);
  const open = await openCard(store, cards, card);
  store.putCard({ ...card, state: 'destroying' });
  if (!offline) await tellServer(context, store, card.server, card.cardId);
  await open.destroy();
  store.dropCard(card);
}

async function destroyUnfinished(context: Context, store: Store, cards: CardMaker, journal: Journal, offline: boolean) {
  const { state, server } = journal;
  const { name } = await cards.parent();
  store.requireDevice(Buffer.from(name).toString('hex'));
  if (!offline && state.step !== 'claiming') await tellServer(context, store, server, state.claim.cardId);
  if (isPlaced(state)) {
    const administratorKeyName = Buffer.from(state.key.name, 'hex');
    const found = await cards.slotState(state.slot, administratorKeyName);
    if (found === 'defined' || found === 'written') await cards.discard(state.slot, administratorKeyName);
  }
  store.dropJournal(journal);
}

async function tellServer(context: Context, store: Store, url: string, cardId: string): Promise<void> {
  const known = store.server(url);
  if (known === undefined) {
    throw new DomainError('conflict', 'server-unknown', 'The store knows no server for this card: add --offline.');
  }
  await context.server(known).destroyed(cardId);
}

function unfinished(store: Store, serial: string): Journal | undefined {
  const { cards, enrolments } = store.document;
  if (cards.some((card) => card.serial.toLowerCase() === serial.toLowerCase())) return undefined;
  return enrolments.find(
    ({ state }) => state.step !== 'claiming' && state.claim.cardSerial.toLowerCase() === serial.toLowerCase(),
  );
}
