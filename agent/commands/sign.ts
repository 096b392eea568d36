import { required, text } from '../arguments.ts';
import { chooseCard, chooseKey, openCard, requireHandedOver } from './choose-card.ts';
import { cardOption, command, deviceOptions, jsonOption, pinOption } from './command.ts';
import { deliverOutcomes, tellingOfBlock } from './contact.ts';

export const signCommand = command({
  name: 'sign',
  summary: 'sign a file with a key of the card',
  about:
    'Makes a detached signature over the SHA-256 of the file: ECDSA in DER, or RSA PKCS #1 v1.5, as `openssl dgst ' +
    '-sha256 -verify` takes it.',
  options: {
    in: required('FILE', 'what to sign'),
    out: required('FILE', 'where to write the signature'),
    ...cardOption,
    container: text('NAME', "which key: sign-in, for example; the card's first if not said"),
    ...deviceOptions,
    ...pinOption,
    ...jsonOption,
  },
  examples: [
    'cardwright-agent sign --in contract.pdf --out contract.sig',
    'cardwright-agent certificate --out me.pem && openssl x509 -in me.pem -pubkey -noout > me.pub &&\n' +
      '    openssl dgst -sha256 -verify me.pub -signature contract.sig contract.pdf',
  ],
  run: async (context, options) => {
    const store = context.readStore(options.store);
    const card = chooseCard(store, options.card);
    requireHandedOver(card);
    const key = chooseKey(card, options.container);
    const digest = await context.files.sha256(options.in);
    const pin = await context.pins(options['pin-stdin']).enter(`PIN of card ${card.serial}`);
    try {
      await tellingOfBlock(context, store, card, () =>
        context.useCards(options.tpm, async (cards) => {
          const open = await openCard(store, cards, card);
          const signature = await open.sign({ key: Buffer.from(key.blob, 'base64'), hash: 'sha256', digest, pin });
          context.files.write(options.out, signature);
        }),
      );
    } finally {
      pin.wipe();
    }
    await deliverOutcomes(context, store, options.store);
    if (options.json) {
      const { serial } = card;
      context.output.print(JSON.stringify({ serial, container: key.container, keyType: key.keyType }, null, 2));
    } else context.output.note(`Signed with ${key.container} of card ${card.serial}.`);
  },
});
