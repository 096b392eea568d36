import { DomainError, isDomainError } from '@cardwright/protocol';
import { DaemonConnection } from './daemon.socket.ts';
import {
  APDU_BYTES_MAX,
  COMMAND,
  connectBody,
  DISPOSITION,
  dispositionBody,
  establishBody,
  notPcscd,
  PROTOCOL,
  parseReaders,
  READERS_STATE_BYTES,
  releaseBody,
  transactionBody,
  transmitBody,
  versionBody,
  word,
} from './messages.ts';
import type { Afterwards, ApduChannel, Bytes, CardReaders, Reader } from './port.ts';
import { REMOVED_CARD, refusal, SUCCESS } from './refusals.ts';

const TIMEOUT_MS = 10_000;
/** A card that makes a key, or a slow reader that wakes a card up. */
const CARD_TIMEOUT_MS = 60_000;
/** How long we wait for another program's turn to end. */
const TURN_TIMEOUT_MS = 20_000;

export const PCSCD_SOCKET = '/run/pcscd/pcscd.comm';

/**
 * The readers of a pcscd. Throws `pcsc-unavailable`, `pcsc-answer-malformed`. Which users may use them is pcscd's to say
 * (polkit): whom it does not let in, it hangs up on.
 */
export async function openReaders(socketPath: string): Promise<CardReaders> {
  const daemon = await DaemonConnection.open(socketPath);
  try {
    const version = await daemon.request(COMMAND.version, versionBody(), 12, { timeoutMs: TIMEOUT_MS });
    if (word(version, -1) !== SUCCESS || word(version, 0) !== PROTOCOL.major) {
      throw notPcscd(`it speaks ${word(version, 0)}:${word(version, 1)}`);
    }
    const established = await daemon.request(COMMAND.establishContext, establishBody(), 12, { timeoutMs: TIMEOUT_MS });
    accept(established);
    return new PcscReaders(daemon, word(established, 1));
  } catch (error) {
    await daemon.close();
    throw error;
  }
}

class PcscReaders implements CardReaders {
  readonly #daemon: DaemonConnection;
  readonly #context: number;

  constructor(daemon: DaemonConnection, context: number) {
    this.#daemon = daemon;
    this.#context = context;
  }

  async readers(): Promise<readonly Reader[]> {
    const empty = new Uint8Array();
    return parseReaders(await this.#ask(COMMAND.readersState, empty, READERS_STATE_BYTES));
  }

  async withCard<T>(reader: string, afterwards: Afterwards, work: (card: ApduChannel) => Promise<T>): Promise<T> {
    const body = connectBody(this.#context, reader);
    const connected = await this.#ask(COMMAND.connect, body, body.length, CARD_TIMEOUT_MS);
    accept(connected);
    const [card, protocol] = [word(connected, -3), word(connected, -2)];
    const disposition = DISPOSITION[afterwards];
    try {
      await this.#begin(card);
      try {
        return await work({ transmit: (command) => this.#transmit(card, protocol, command) });
      } finally {
        await this.#quietly(COMMAND.endTransaction, dispositionBody(card, disposition));
      }
    } finally {
      await this.#quietly(COMMAND.disconnect, dispositionBody(card, disposition));
    }
  }

  async close(): Promise<void> {
    await this.#quietly(COMMAND.releaseContext, releaseBody(this.#context));
    await this.#daemon.close();
  }

  async #begin(card: number): Promise<void> {
    try {
      const body = transactionBody(card);
      accept(await this.#ask(COMMAND.beginTransaction, body, body.length, TURN_TIMEOUT_MS));
    } catch (error) {
      if (!isDomainError(error) || error.code !== 'pcsc-timeout') throw error;
      const detail = `Another program has been using the card for ${TURN_TIMEOUT_MS / 1000} seconds. Close it, and try again.`;
      throw new DomainError('unavailable', 'card-reader-in-use', detail, { cause: error });
    }
  }

  async #transmit(card: number, protocol: number, command: Bytes): Promise<Bytes> {
    if (command.length > APDU_BYTES_MAX) throw new RangeError('longer than an APDU can be');
    const body = transmitBody(card, protocol, command.length);
    const limits = { timeoutMs: CARD_TIMEOUT_MS, more: command };
    const answer = await this.#daemon.request(COMMAND.transmit, body, body.length, limits);
    accept(answer);
    const length = word(answer, -2);
    if (length > APDU_BYTES_MAX) throw notPcscd(`it announces ${length} bytes from the card`);
    // A reader whose card is pulled out under a command may call that success, without a status.
    if (length < 2) throw refusal(REMOVED_CARD);
    return this.#daemon.read(length, TIMEOUT_MS);
  }

  /** What is over is over: a card that is gone needs no end of its transaction. */
  async #quietly(command: number, body: Bytes): Promise<void> {
    try {
      await this.#ask(command, body, body.length);
    } catch (error) {
      if (!isDomainError(error)) throw error;
    }
  }

  #ask(command: number, body: Bytes, answerBytes: number, timeoutMs = TIMEOUT_MS): Promise<Bytes> {
    return this.#daemon.request(command, body, answerBytes, { timeoutMs });
  }
}

function accept(answer: Bytes): void {
  const returned = word(answer, -1);
  if (returned !== SUCCESS) throw refusal(returned);
}
