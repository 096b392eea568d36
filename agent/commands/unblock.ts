import { DomainError, isDomainError, type Secret } from '@cardwright/protocol';
import { encodeLines } from '@cardwright/protocol/challenge';
import { flag } from '../arguments.ts';
import type { PinResetChallenge } from '../card/port.ts';
import type { DeviceServer } from '../server/port.ts';
import type { StoredCard, UnblockOutcome } from '../store/document.ts';
import { demandRoomForQr, qrText } from '../terminal/qr.ts';
import { awaitResponse } from '../unblock/online.ts';
import { challengeBytes, readResponse } from '../unblock/response.ts';
import { typedResponse } from '../unblock/typed-response.ts';
import { chooseCard, openCard, successionsNow } from './choose-card.ts';
import { type Context, cardOption, command, deviceOptions, jsonOption, pinOption } from './command.ts';
import { checkInBriefly, deliverOutcomes, dropOutcome, keepOutcome, ownPinNow } from './contact.ts';
import { lockText } from './lock-text.ts';

const ATTEMPTS = 3;

export const unblockCommand = command({
  name: 'unblock',
  summary: 'set a new PIN with the help of an operator',
  about:
    'Asks for the new PIN first, then shows a challenge to be read to an operator, and takes the response that the ' +
    'operator reads back. With --online the server is asked instead: a confirmation code is shown, to be told to the ' +
    'operator (or approved with another card of yours: see approve), and the rest happens by itself. With --qr the ' +
    'challenge is shown as a QR code, too, for the operator to scan. The challenge lives only while this command runs. For scripts: ' +
    '--pin-stdin takes the new PIN as the first line of standard input, --response-stdin takes the lines of the ' +
    'response after it; the challenge is on standard output.',
  options: {
    ...cardOption,
    qr: flag('show the challenge as a QR code, too'),
    online: flag('through the server, with a confirmation code in place of challenge and response'),
    ...deviceOptions,
    ...pinOption,
    'response-stdin': flag('read the response from standard input, after the PIN if that comes from there too'),
    ...jsonOption,
  },
  examples: ['cardwright-agent unblock', 'cardwright-agent unblock --online'],
  run: async (context, options) => {
    if (options.qr) demandQr(context, options);
    const store = context.readStore(options.store);
    const card = chooseCard(store, options.card);
    const known = store.server(card.server);
    const newPin = await context.pins(options['pin-stdin']).choose(`New PIN for card ${card.serial}`, card.pinPolicy);
    try {
      await context.useCards(options.tpm, async (cards) => {
        const lock = await cards.lock();
        if (lock.locked) context.output.note(lockText(lock));
        const open = await openCard(store, cards, card);
        const tries = await open.tries();
        const challenge = await open.challenge();
        try {
          if (!options.online) {
            await byOperator(context, card, challenge, newPin, options);
          } else if (known === undefined) {
            throw new DomainError('conflict', 'server-unknown', `The store knows no server for card ${card.serial}.`);
          } else {
            const server = context.server(known);
            const { json, store: directory } = options;
            await online(context, card, { challenge, triesLeft: tries.left, newPin, server, json, directory });
          }
        } finally {
          await challenge.abandon();
        }
      });
    } finally {
      newPin.wipe();
    }
    const unblocked = await ownPinNow(context, options.store, card);
    if (!options.online) {
      await checkInBriefly(context, store, unblocked, { triesLeft: card.pinLimit, blocked: false });
      await deliverOutcomes(context, store, options.store);
    }
    if (options.json) context.output.print(JSON.stringify({ serial: card.serial, unblocked: true }));
    else context.output.print(`Card ${card.serial} has the new PIN and all its tries.`);
  },
});

/** Throws `option-conflict` (invalid), `terminal-too-narrow`. */
function demandQr(
  context: Context,
  { online: byServer, json }: { readonly online: boolean; readonly json: boolean },
): void {
  if (byServer || json) {
    const why = byServer ? 'with --online there is no challenge to show' : 'what --json prints is for programs';
    throw new DomainError('invalid', 'option-conflict', `--qr does not go with that: ${why}.`);
  }
  demandRoomForQr(context.columns());
}

async function byOperator(
  context: Context,
  card: StoredCard,
  challenge: PinResetChallenge,
  newPin: Secret,
  options: {
    readonly json: boolean;
    readonly qr: boolean;
    readonly store: string | undefined;
    readonly 'response-stdin': boolean;
  },
): Promise<void> {
  const { output } = context;
  const source = context.lines(options['response-stdin']);
  const bytes = challengeBytes(card.serial, challenge);
  const lines = encodeLines(bytes);
  if (options.json) output.print(JSON.stringify({ serial: card.serial, challenge: lines }));
  else output.print([`Card ${card.serial}`, 'Challenge:', ...lines.map((line) => `  ${line}`)].join('\n'));
  if (options.qr) output.print(qrText(lines.join(' ')));
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        const response = readResponse(await typedResponse(source, output), card.serial, bytes);
        await challenge.finish(response, newPin, successionsNow(context, options.store, card));
        return;
      } catch (error) {
        const again = source.interactive && attempt < ATTEMPTS && isDomainError(error) && CORRECTABLE.has(error.code);
        if (!again) throw error;
        output.note(error.detail);
      }
    }
  } finally {
    source.close();
  }
}

/** The challenge still stands after these. */
const CORRECTABLE = new Set([
  'response-mistyped',
  'response-for-another-card',
  'response-for-another-challenge',
  'response-refused-by-card',
]);

interface OnlineUnblock {
  readonly challenge: PinResetChallenge;
  readonly triesLeft: number;
  readonly newPin: Secret;
  readonly server: DeviceServer;
  readonly json: boolean;
  /** Of the store. */
  readonly directory: string | undefined;
}

async function online(context: Context, card: StoredCard, work: OnlineUnblock): Promise<void> {
  const { output } = context;
  const { challenge, triesLeft, newPin, server } = work;
  const bytes = challengeBytes(card.serial, challenge);
  const request = await server.requestUnblock(card.cardId, { challenge: encodeLines(bytes).join('\n'), triesLeft });
  const { sessionId, confirmationCode, expiresAt } = request;
  if (work.json) {
    output.print(JSON.stringify({ serial: card.serial, sessionId, confirmationCode, expiresAt }));
  } else {
    output.print(`Card ${card.serial}\nConfirmation code: ${confirmationCode}\nTell it to the operator. Waiting...`);
  }
  const text = await awaitResponse(server, request, { now: context.now, sleep: context.sleep, note: output.note });
  const ended = (outcome: 'worked' | 'failed') => report(context, work, { server: card.server, sessionId, outcome });
  try {
    const response = readResponse(text, card.serial, bytes);
    await challenge.finish(response, newPin, successionsNow(context, work.directory, card));
  } catch (error) {
    await ended('failed');
    throw error;
  }
  await ended('worked');
}

/** The card is as it is: that the server could not be told changes nothing here, and it is told later. */
async function report(
  context: Context,
  { server, directory }: Pick<OnlineUnblock, 'server' | 'directory'>,
  outcome: UnblockOutcome,
): Promise<void> {
  const { note } = context.output;
  const kept = await keepOutcome(context, directory, outcome);
  try {
    await server.reportUnblock(outcome.sessionId, outcome.outcome);
  } catch (error) {
    if (!isDomainError(error)) throw error;
    const later = kept
      ? 'It is told at the next contact: cardwright-agent status, for example.'
      : `The operator may note it by hand: ${outcome.outcome}.`;
    note(`The server could not be told how it went (${error.code}). ${later}`);
    return;
  }
  if (kept) await dropOutcome(context, directory, outcome);
}
