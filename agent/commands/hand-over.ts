import { DomainError } from '@cardwright/protocol';
import { takeHandOver } from '../enrolment/hand-over.ts';
import { chooseCard } from './choose-card.ts';
import { cardOption, command, deviceOptions, jsonOption, pinOption } from './command.ts';
import { checkInBriefly, tellingOfBlock } from './contact.ts';

export const handOverCommand = command({
  name: 'hand-over',
  summary: 'set your own PIN on a card that was made for you',
  about:
    'A card that somebody else prepared has a first PIN that nobody has seen. Asks for the hand-over code, which the ' +
    'operator gave to you alone, and for your own PIN, twice; with --pin-stdin: a line with the code, then one with the ' +
    'PIN. A wrong code costs no try. Needs no server. If it is interrupted, run it again. Without the code, have the card ' +
    'unblocked: that sets your PIN, too.',
  options: { ...cardOption, ...deviceOptions, ...pinOption, ...jsonOption },
  examples: ['cardwright-agent hand-over', 'cardwright-agent hand-over --card CW-7K3M-92QF'],
  run: async (context, options) => {
    const store = context.readStore(options.store);
    const card = chooseCard(store, options.card);
    const { handOver } = card;
    if (handOver?.state !== 'sealed') {
      const detail = `The PIN of card ${card.serial} is its holder's own already. To change it: cardwright-agent change-pin`;
      throw new DomainError('conflict', 'hand-over-not-pending', detail);
    }
    const work = { context, storeDirectory: options.store, tpm: options.tpm };
    const pins = context.pins(options['pin-stdin']);
    const taken = await tellingOfBlock(context, store, card, () => takeHandOver(work, card, handOver, pins));
    await checkInBriefly(context, store, taken, { triesLeft: card.pinLimit, blocked: false });
    if (options.json) context.output.print(JSON.stringify({ serial: card.serial, handedOver: true }, null, 2));
    else context.output.print(`Card ${card.serial} is yours: it has the PIN that you chose.`);
  },
});
