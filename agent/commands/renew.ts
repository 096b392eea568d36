import { DomainError } from '@cardwright/protocol';
import { flag, text } from '../arguments.ts';
import { needsPin, renew } from '../renewal/renew.ts';
import { chooseCard, requireHandedOver } from './choose-card.ts';
import { cardOption, command, deviceOptions, jsonOption, pinOption } from './command.ts';
import { tellingOfBlock } from './contact.ts';

export const renewCommand = command({
  name: 'renew',
  summary: 'renew the certificates of a card before they end',
  about:
    "Renews what is due by the server's policy: with the same key, which needs no PIN (`run` does that by itself), or with " +
    'a new key where the policy or --new-key asks for one; then the PIN is asked for, to sign the request. The card goes ' +
    'on with its old certificate until the server knows that the new one is stored. With a new key the old one is ' +
    'forgotten: what was encrypted for it can no longer be read. If it is interrupted, run it again.',
  options: {
    ...cardOption,
    container: text('NAME', 'only this one: sign-in, for example'),
    'new-key': flag('make a new key, also where the same would do'),
    ...deviceOptions,
    ...pinOption,
    ...jsonOption,
  },
  examples: ['cardwright-agent renew', 'cardwright-agent renew --container sign-in --new-key'],
  run: async (context, options) => {
    const store = context.readStore(options.store);
    const card = chooseCard(store, options.card);
    requireHandedOver(card);
    const known = store.server(card.server);
    if (known === undefined) {
      throw new DomainError('conflict', 'server-unknown', `The store knows no server for card ${card.serial}.`);
    }
    const server = context.server(known);
    const all = await server.renewals(card.cardId);
    const named = all.filter(({ container }) => options.container === undefined || container === options.container);
    if (named.length === 0) {
      throw new DomainError('not-found', 'container-unknown', `Card ${card.serial} has no such certificate in force.`);
    }
    const begun = named.filter(({ container }) => store.renewal(card.cardId, container) !== undefined);
    const due = named.filter((item) => item.due || begun.includes(item));
    const items = due.map((item) => (options['new-key'] ? { ...item, key: 'new' as const } : item));
    const wantsPin = items.some(({ container, key }) => needsPin(store.renewal(card.cardId, container)?.state, key));
    const pin = wantsPin ? await context.pins(options['pin-stdin']).enter(`PIN of card ${card.serial}`) : null;
    const renewed: { container: string; certificateId: string }[] = [];
    try {
      const work = { context, storeDirectory: options.store, tpm: options.tpm, server };
      for (const item of items) {
        const { container } = item;
        const { certificateId } = await tellingOfBlock(context, store, card, () => renew(work, card.cardId, item, pin));
        renewed.push({ container, certificateId });
      }
    } finally {
      pin?.wipe();
    }
    const later = named
      .filter((item) => !due.includes(item))
      .map(({ container, renewableFrom, notAfter }) => ({ container, renewableFrom, notAfter }));
    if (options.json) {
      context.output.print(JSON.stringify({ serial: card.serial, renewed, notYet: later }, null, 2));
      return;
    }
    for (const { container } of renewed) context.output.print(`The certificate for ${container} is renewed.`);
    for (const { container, renewableFrom, notAfter } of later) {
      const from = renewableFrom.slice(0, 10);
      context.output.print(`The one for ${container} is good until ${notAfter.slice(0, 10)}; renewed from ${from} on.`);
    }
  },
});
