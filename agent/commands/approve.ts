import { createHash } from 'node:crypto';
import { DomainError } from '@cardwright/protocol';
import { unblockApprovalStatement } from '@cardwright/protocol/challenge';
import { required, text } from '../arguments.ts';
import { chooseCard, chooseKey, openCard, requireHandedOver } from './choose-card.ts';
import { cardOption, command, deviceOptions, jsonOption, pinOption } from './command.ts';
import { tellingOfBlock } from './contact.ts';

export const approveCommand = command({
  name: 'approve',
  summary: 'approve the unblock of another card of yours, with this one',
  about:
    'Where the card profile allows it, no operator is needed to unblock a card: `unblock --online` shows a confirmation ' +
    'code, and another card of the same person approves the request, on this device or on another one. Shows what the ' +
    "request is before it asks for this card's PIN. Approve only what you have just begun yourself.",
  options: {
    code: required('CODE', 'the confirmation code that `unblock --online` shows'),
    ...cardOption,
    container: text('NAME', "which key signs: sign-in, for example; the card's first if not said"),
    ...deviceOptions,
    ...pinOption,
    ...jsonOption,
  },
  examples: ['cardwright-agent approve --card CW-7K3M-92QF --code 482913'],
  run: async (context, options) => {
    const { output } = context;
    const store = context.readStore(options.store);
    const card = chooseCard(store, options.card);
    requireHandedOver(card);
    const key = chooseKey(card, options.container);
    const known = store.server(card.server);
    if (known === undefined) {
      throw new DomainError('conflict', 'server-unknown', `The store knows no server for card ${card.serial}.`);
    }
    const server = context.server(known);
    const request = await server.cardApprovalRequest(card.cardId, options.code);
    output.note(
      `Card ${request.serial} of ${request.personName} on ${request.hostName} is to get a new PIN ` +
        `(asked ${request.requestedAt}). Card ${card.serial} approves it with its PIN.`,
    );
    const { certificateId } = key;
    const { sessionId, serial, hostName, requestedAt } = request;
    // Written here, of what was just shown: the card never signs a digest that came from elsewhere.
    const statement = unblockApprovalStatement({
      ...{ sessionId, serial, hostName, requestedAt, certificateId },
      nonce: Buffer.from(request.nonce, 'base64'),
      approvingSerial: card.serial,
    });
    const digest = new Uint8Array(createHash('sha256').update(statement).digest());
    const pin = await context.pins(options['pin-stdin']).enter(`PIN of card ${card.serial}`);
    let signature: Uint8Array;
    try {
      signature = await tellingOfBlock(context, store, card, () =>
        context.useCards(options.tpm, async (cards) => {
          const open = await openCard(store, cards, card);
          return open.sign({ key: Buffer.from(key.blob, 'base64'), hash: 'sha256', digest, pin });
        }),
      );
    } finally {
      pin.wipe();
    }
    await server.approveWithCard(card.cardId, {
      ...{ sessionId, certificateId },
      confirmationCode: options.code,
      signature: Buffer.from(signature).toString('base64'),
    });
    if (options.json) output.print(JSON.stringify({ serial: card.serial, approved: serial, sessionId }));
    else output.print(`Approved: card ${serial} gets its new PIN where it was asked for.`);
  },
});
