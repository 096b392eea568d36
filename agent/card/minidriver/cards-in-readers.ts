import { DomainError, isDomainError } from '@cardwright/protocol';
import type { CardReaders, Reader } from '../../pcsc/port.ts';
import { gidsCard, readCardId } from './gids.ts';
import type { MinidriverCards } from './port.ts';

/** GIDS cards in the readers of a PC/SC service. */
export function cardsInReaders(readers: CardReaders): MinidriverCards {
  return {
    async withCard(serial, name, work) {
      const wanted = digits(serial);
      const reader = await find(readers, wanted, name);
      return readers.withCard(reader, 'reset', async (channel) => {
        // Again: since it was looked for, another one may have been put in.
        const id = await readCardId(channel);
        if (id === undefined || hex(id) !== wanted) throw another(reader, id);
        return work(gidsCard(channel));
      });
    },
  };
}

async function find(readers: CardReaders, wanted: string, name: string | undefined): Promise<string> {
  const all = await readers.readers();
  const asked = name === undefined ? all : all.filter((reader) => reader.name === name);
  if (asked.length === 0) throw name === undefined ? noReader() : unknownReader(all);
  const [only] = asked;
  let found: Uint8Array | undefined;
  for (const reader of asked) {
    if (!reader.cardPresent) continue;
    const id = await idIn(readers, reader);
    if (id !== undefined && hex(id) === wanted) return reader.name;
    found = id ?? found;
  }
  if (name !== undefined && only?.cardPresent === true) throw another(name, found);
  const detail = `Card ${wanted} is in no reader. Put it in, and try again.`;
  throw new DomainError('unavailable', 'card-not-in-reader', detail);
}

/** What can't be read is not the card that is looked for. */
async function idIn(readers: CardReaders, { name }: Reader): Promise<Uint8Array | undefined> {
  try {
    return await readers.withCard(name, 'leave', readCardId);
  } catch (error) {
    if (isDomainError(error) && error.code.startsWith('card-')) return undefined;
    throw error;
  }
}

/** Serials are typed in many ways: `3F2504E0-4F89-…`, with spaces, in lower case. */
const digits = (serial: string) => serial.replace(/[\s{}-]/g, '').toLowerCase();
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

function another(reader: string, id: Uint8Array | undefined): DomainError {
  const what = id === undefined ? 'no GIDS card' : `card ${hex(id)}`;
  const detail = `In "${reader}" is ${what}: another one than the one meant. Nothing was changed.`;
  return new DomainError('unavailable', 'another-card-in-reader', detail);
}

function noReader(): DomainError {
  return new DomainError('unavailable', 'card-reader-unknown', 'There is no card reader. Connect one, and try again.');
}

function unknownReader(all: readonly Reader[]): DomainError {
  const known = all.length === 0 ? 'There is none.' : `There are: ${all.map(({ name }) => `"${name}"`).join(', ')}.`;
  return new DomainError('unavailable', 'card-reader-unknown', `There is no card reader of that name. ${known}`);
}
