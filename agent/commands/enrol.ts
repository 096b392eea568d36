import { flag, required } from '../arguments.ts';
import { enrol, enrolledBefore } from '../enrolment/enrol.ts';
import { serverAddress } from '../server/address.ts';
import { requireUsable } from './choose-card.ts';
import { command, deviceOptions, jsonOption, pinOption } from './command.ts';

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
