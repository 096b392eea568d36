import { certificateFacts } from '../enrolment/certificate-check.ts';
import type { Journal } from '../enrolment/journal.ts';
import type { StoredCard } from '../store/document.ts';
import { table } from '../terminal/printable.ts';
import { command, deviceOptions, jsonOption } from './command.ts';

export const listCommand = command({
  name: 'list',
  summary: 'show the cards on this device and their certificates',
  about: 'Reads the store only: neither TPM nor server is asked.',
  options: { store: deviceOptions.store, ...jsonOption },
  examples: ['cardwright-agent list', 'cardwright-agent list --json'],
  run: async (context, options) => {
    const { cards, enrolments } = context.readStore(options.store).document;
    const unfinished = enrolments.map(describeUnfinished);
    if (options.json) {
      context.output.print(JSON.stringify({ cards: cards.map(describeCard), unfinished }, null, 2));
      return;
    }
    if (cards.length === 0) context.output.print('There is no card in this store.');
    else context.output.print(table([HEADINGS, ...cards.flatMap(rowsOf)]));
    for (const { serial, server, step } of unfinished) {
      context.output.note(
        `Unfinished: ${serial ?? 'an enrolment'} at ${server} (${step}). Run enrol with its code again, or destroy --card.`,
      );
    }
  },
});

const HEADINGS = ['CARD', 'PERSON', 'CONTAINER', 'KEY', 'CERTIFICATE', 'UNTIL', 'STATE'];

export function describeCard(card: StoredCard) {
  return {
    cardId: card.cardId,
    serial: card.serial,
    state: card.state,
    server: card.server,
    person: card.person,
    pinLimit: card.pinLimit,
    slot: card.slot,
    enrolledAt: card.enrolledAt,
    keys: card.keys.map(({ container, keyType, certificateId, certificate }) => ({
      container,
      keyType,
      certificateId,
      ...certificateFacts(Buffer.from(certificate, 'base64')),
    })),
  };
}

export function describeUnfinished({ server, startedAt, state }: Journal) {
  const claim = state.step === 'claiming' ? undefined : state.claim;
  return {
    cardId: claim?.cardId ?? null,
    serial: claim?.cardSerial ?? null,
    person: claim?.person ?? null,
    server,
    step: state.step,
    startedAt,
  };
}

function rowsOf(card: StoredCard): string[][] {
  return describeCard(card).keys.map((key) => [
    card.serial,
    card.person.displayName,
    key.container,
    key.keyType,
    key.serialNumber,
    key.notAfter.slice(0, 10),
    card.state,
  ]);
}
