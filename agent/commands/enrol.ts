import { flag, required, text } from '../arguments.ts';
import type { CardMaker } from '../card/port.ts';
import { enrol, enrolledBefore } from '../enrolment/enrol.ts';
import { cardSigner, type ProofSigner } from '../enrolment/proof.ts';
import { serverAddress } from '../server/address.ts';
import type { Store } from '../store/store.ts';
import type { PinSource } from '../terminal/port.ts';
import { chooseCard, chooseKey, openCard, requireHandedOver, requireUsable } from './choose-card.ts';
import { type Context, command, deviceOptions, jsonOption, pinOption } from './command.ts';

export const enrolCommand = command({
  name: 'enrol',
  summary: 'make a card on this device, with an enrolment code',
  about:
    'Makes the card in the TPM, its keys and their certificates. Asks for a new PIN, twice; with --pin-stdin it is one ' +
    'line. If it is interrupted, by whatever, run the same command again: it goes on where it was, or starts clean. ' +
    'A card that was begun keeps the PIN it was begun with, and the PIN is asked for once more; if it is forgotten, ' +
    '--start-over makes the card anew. After it is done, the same command does nothing and ends with 0.',
  options: {
    server: required('URL', 'the Cardwright server, such as https://cards.example.org'),
    code: required('CODE', 'the enrolment code that the operator gave'),
    'signed-by': text('SERIAL', 'the card that signs, where an existing certificate of the person is wanted'),
    'signer-store': text('DIR', 'the store that has that card, if it is another one'),
    ...deviceOptions,
    ...pinOption,
    'start-over': flag('throw away what an interrupted enrolment made, and choose a new PIN'),
    'insecure-http': flag('allow http: to another machine (anybody on the way can take the card: trials only)'),
    ...jsonOption,
  },
  examples: [
    'cardwright-agent enrol --server https://cards.example.org --code 7K3M-92QF-XD4T',
    'printf \'%s\\n\' "$PIN" | cardwright-agent enrol --server http://127.0.0.1:8080 --code 7K3M-92QF-XD4T \\\n' +
      '    --tpm swtpm:host=127.0.0.1,port=2321 --store ./device --pin-stdin',
  ],
  run: async (context, options) => {
    const server = serverAddress(options.server, options['insecure-http']);
    const request = {
      server,
      code: options.code,
      startOver: options['start-over'],
    };
    const { card, already } = await context.changeStore(options.store, async (store) => {
      const before = enrolledBefore(store, request);
      if (before !== undefined) {
        requireUsable(before);
        return { card: before, already: true };
      }
      const pins = context.pins(options['pin-stdin']);
      return await context.useCards(options.tpm, async (cards) => {
        const ports = {
          store,
          cards,
          pins,
          host: context.host,
          server: context.server,
          caOfServer: context.caOfServer,
          signer: await signerOf(context, options, { store, cards, pins }),
          sleep: context.sleep,
          showConfirmationCode: (serial: string, confirmationCode: string) => {
            if (options.json) context.output.print(JSON.stringify({ serial, confirmationCode }));
            else
              context.output.print(
                `Confirmation code: ${confirmationCode}\nTell it to the operator who looked on. Waiting...`,
              );
          },
          now: context.now,
          randomBytes: context.randomBytes,
          progress: options.json ? () => undefined : context.output.note,
          patience: <T>(what: string, work: Promise<T>) => (options.json ? work : context.patience(what, work)),
        };
        return { card: await enrol(ports, request), already: false };
      });
    });
    const { output } = context;
    const containers = card.keys.map(({ container, certificateId }) => ({ container, certificateId }));
    if (options.json) {
      const { cardId, serial, person, enrolmentId } = card;
      output.print(
        JSON.stringify({ cardId, serial, person, enrolmentId, containers, alreadyEnrolled: already }, null, 2),
      );
      return;
    }
    const names = containers.map(({ container }) => container).join(', ');
    output.print(
      already
        ? `This code was used before on this device: card ${card.serial} of ${card.person.displayName} is ready (${names}).`
        : `Card ${card.serial} of ${card.person.displayName} is ready (${names}).`,
    );
  },
});

/** The card that signs, on this device. Its PIN is asked for when something is to be signed, and once. */
async function signerOf(
  context: Context,
  options: { readonly 'signed-by': string | undefined; readonly 'signer-store': string | undefined },
  { store, cards, pins }: { readonly store: Store; readonly cards: CardMaker; readonly pins: PinSource },
): Promise<ProofSigner | null> {
  if (options['signed-by'] === undefined) return null;
  const other = options['signer-store'] === undefined ? store : context.readStore(options['signer-store']);
  const card = chooseCard(other, options['signed-by']);
  requireHandedOver(card);
  const key = chooseKey(card, undefined);
  const open = await openCard(other, cards, card);
  let signer: ProofSigner | undefined;
  return {
    sign: async (statement) => {
      signer ??= cardSigner(open, key, await pins.enter(`PIN of card ${card.serial}, which signs for the new one`));
      return signer.sign(statement);
    },
  };
}
