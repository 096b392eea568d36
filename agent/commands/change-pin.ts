import { chooseCard, openCard, requireHandedOver } from './choose-card.ts';
import { cardOption, command, deviceOptions, jsonOption, pinOption } from './command.ts';
import { deliverOutcomes, tellingOfBlock } from './contact.ts';

export const changePinCommand = command({
  name: 'change-pin',
  summary: 'change the PIN, knowing the old one',
  about:
    'Asks for the old PIN and the new one, twice; with --pin-stdin: a line with the old one, then one with the new.',
  options: { ...cardOption, ...deviceOptions, ...pinOption, ...jsonOption },
  examples: [
    'cardwright-agent change-pin',
    'printf \'%s\\n\' "$OLD" "$NEW" | cardwright-agent change-pin --card CW-7K3M-92QF --pin-stdin',
  ],
  run: async (context, options) => {
    const store = context.readStore(options.store);
    const card = chooseCard(store, options.card);
    requireHandedOver(card);
    const pins = context.pins(options['pin-stdin']);
    const oldPin = await pins.enter(`Old PIN of card ${card.serial}`);
    try {
      const newPin = await pins.choose('New PIN', card.pinPolicy);
      try {
        await tellingOfBlock(context, store, card, () =>
          context.useCards(options.tpm, async (cards) => {
            const open = await openCard(store, cards, card);
            await open.changePin(oldPin, newPin, {
              approvedPolicy: Buffer.from(card.selfChange.approvedPolicy, 'base64'),
              signature: Buffer.from(card.selfChange.signature, 'base64'),
            });
          }),
        );
      } finally {
        newPin.wipe();
      }
    } finally {
      oldPin.wipe();
    }
    await deliverOutcomes(context, store, options.store);
    if (options.json) context.output.print(JSON.stringify({ serial: card.serial, changed: true }, null, 2));
    else context.output.print(`The PIN of card ${card.serial} is changed.`);
  },
});
