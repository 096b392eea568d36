import { flag, text } from '../arguments.ts';
import { toPem } from '../enrolment/certificate-check.ts';
import { chooseCard, chooseKey } from './choose-card.ts';
import { cardOption, command, deviceOptions, jsonOption } from './command.ts';

export const certificateCommand = command({
  name: 'certificate',
  summary: 'give out a certificate of the card, with its chain',
  about: 'PEM: the certificate, then its issuers up to the root. Needs no PIN, TPM or server.',
  options: {
    ...cardOption,
    container: text('NAME', "whose certificate: sign-in, for example; the card's first if not said"),
    'no-chain': flag('the certificate alone'),
    'chain-only': flag('the issuers alone'),
    out: text('FILE', 'write there instead of standard output'),
    store: deviceOptions.store,
    ...jsonOption,
  },
  examples: [
    'cardwright-agent certificate --out me.pem',
    'cardwright-agent certificate --chain-only --out chain.pem && cardwright-agent certificate --no-chain |\n' +
      '    openssl verify -x509_strict -CAfile chain.pem',
  ],
  run: async (context, options) => {
    const card = chooseCard(context.readStore(options.store), options.card);
    const key = chooseKey(card, options.container);
    const own = options['chain-only'] ? [] : [key.certificate];
    const chain = options['no-chain'] ? [] : key.chain;
    const pem = [...own, ...chain].map((der) => toPem(Buffer.from(der, 'base64')));
    const text = options.json
      ? `${JSON.stringify({ serial: card.serial, container: key.container, certificates: pem }, null, 2)}\n`
      : pem.join('');
    if (options.out === undefined) context.output.print(text.trimEnd());
    else context.files.write(options.out, text);
  },
});
