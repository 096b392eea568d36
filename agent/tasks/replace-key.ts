import { DomainError, isDomainError, type Secret } from '@cardwright/protocol';
import { checkValueOf } from '../card/minidriver/gids.ts';
import { type AdministeredCard, KEY_ALGORITHMS, type KeyAlgorithm } from '../card/minidriver/port.ts';
import type { AgentTask } from './agent-task.ts';
import { done, failed, type ReplacementOffer, type TaskResult, type TaskState } from './journal.ts';
import { changeStore, entryOf, isPassing, readStore, type TaskHandler, type TaskWork } from './task.ts';

/**
 * A card that is not in this device's hardware gets another administrator key: found in a reader -> offered -> stored ->
 * opened with the old key's answer -> `changing` stored -> changed -> proved with the new key's answer. The server answers
 * with either key until it knows which one the card has, so this can end anywhere: the next run asks the card.
 *
 * @param reader only this one is looked into.
 */
export function replaceKey(reader?: string): TaskHandler {
  return async (work, task) => {
    const { cardSerial: serial } = task;
    if (serial === null) return failed('card-unknown', 'The task names no card.');
    return await work.context.useCardReaders(async (cards) => {
      // Looked for first: while the card is elsewhere, no key is made for it, and the change can still be called off.
      await cards.withCard(serial, reader, async () => undefined);
      const offer = await offered(work, task);
      return cards.withCard(serial, reader, (card) => new Replacement(work, task, offer, card).run());
    });
  };
}

async function offered(work: TaskWork, task: AgentTask): Promise<ReplacementOffer> {
  const known = journal(work, task);
  if (known !== undefined) return known.offer;
  const parent = await work.context.useCards(work.tpm, async (hardware) => {
    const { name, public: parentPublic } = await hardware.parent();
    readStore(work).requireDevice(Buffer.from(name).toString('hex'));
    return parentPublic;
  });
  const offer = await work.server.keyOffer(task.taskId, Buffer.from(parent).toString('base64'));
  if (offer.kind !== 'replacement' || !isKeyAlgorithm(offer.algorithm)) {
    throw new DomainError('unprocessable', 'key-offer-unfit', 'The server offered a key for another kind of card.');
  }
  await save(work, task, { step: 'offered', offer });
  return offer;
}

class Replacement {
  readonly #work: TaskWork;
  readonly #task: AgentTask;
  readonly #offer: ReplacementOffer;
  readonly #algorithm: KeyAlgorithm;
  readonly #card: AdministeredCard;
  /** The version that the card has just proved, unless it may have got another one since. */
  #proved: number | null = null;

  constructor(work: TaskWork, task: AgentTask, offer: ReplacementOffer, card: AdministeredCard) {
    if (!isKeyAlgorithm(offer.algorithm)) throw new RangeError('the journal has an offer that was never accepted');
    this.#work = work;
    this.#task = task;
    this.#offer = offer;
    this.#algorithm = offer.algorithm;
    this.#card = card;
  }

  async run(): Promise<TaskResult> {
    try {
      return await this.#change();
    } catch (error) {
      if (isPassing(error) || !isDomainError(error)) throw error;
      return { ...failed(error.code, error.detail), keyVersion: this.#proved };
    }
  }

  async #change(): Promise<TaskResult> {
    const { keyVersion, fromVersion } = this.#offer;
    // The likelier one first: a card may count wrong answers.
    const begun = journal(this.#work, this.#task)?.step === 'changing';
    const has = await this.#which(begun ? [keyVersion, fromVersion] : [fromVersion, keyVersion]);
    if (has === keyVersion) return done({ keyVersion });
    const refusal = await this.#put();
    const now = await this.#which(refusal === null ? [keyVersion, fromVersion] : [fromVersion, keyVersion]);
    if (now === keyVersion) return done({ keyVersion });
    const { code, detail } = refusal ?? KEPT;
    return { ...failed(code, detail), keyVersion: fromVersion };
  }

  /** The first whose answer the card takes. Throws `card-refused-both-keys`. */
  async #which(versions: readonly number[]): Promise<number> {
    for (const keyVersion of versions) {
      if (await this.#prove(keyVersion)) return keyVersion;
      this.#work.log('key-answer-refused', { card: this.#task.cardSerial, keyVersion });
    }
    const detail =
      'The card takes neither its old administrator key nor the new one: it is not the card that was registered, or its ' +
      'key was changed elsewhere. Do not go on trying: a card may destroy itself after a few wrong answers.';
    throw new DomainError('unprocessable', 'card-refused-both-keys', detail);
  }

  /** One fresh challenge, one answer. False if it was computed with another key than the card's. */
  async #prove(keyVersion: number): Promise<boolean> {
    const challenge = Buffer.from(await this.#card.challenge(this.#algorithm)).toString('base64');
    const { response } = await this.#work.server.cardAnswer(this.#task.taskId, { keyVersion, challenge });
    try {
      await this.#card.authenticate(Buffer.from(response, 'base64'));
    } catch (error) {
      if (isDomainError(error) && error.code === 'answer-refused-by-card') return false;
      throw error;
    }
    this.#proved = keyVersion;
    return true;
  }

  /** Gives the card's refusal, after which it may be anything: the card is asked next. */
  async #put(): Promise<DomainError | null> {
    const offer = this.#offer;
    const key = await this.#open(offer);
    try {
      await save(this.#work, this.#task, { step: 'changing', offer });
      this.#proved = null;
      await this.#card.changeAdministratorKey(key, this.#algorithm);
      return null;
    } catch (error) {
      if (isDomainError(error) && error.code === 'key-refused-by-card') return error;
      throw error;
    } finally {
      key.wipe();
    }
  }

  /** The new key, in this process's memory for as long as one command to the card takes. */
  async #open({ kcv, ...wrapped }: ReplacementOffer): Promise<Secret> {
    const key = await this.#work.context.useCards(this.#work.tpm, (hardware) =>
      hardware.openSealed({
        name: Buffer.from(wrapped.name, 'hex'),
        public: Buffer.from(wrapped.public, 'base64'),
        duplicate: Buffer.from(wrapped.duplicate, 'base64'),
        inSymSeed: Buffer.from(wrapped.inSymSeed, 'base64'),
      }),
    );
    if (checkValueOf(key, this.#algorithm) === kcv) return key;
    key.wipe();
    const detail = 'The new administrator key is not the one that its check value names. Nothing was changed.';
    throw new DomainError('unprocessable', 'sealed-key-refused', detail);
  }
}

const ELSEWHERE = new Set(['card-not-in-reader', 'another-card-in-reader', 'card-reader-unknown', 'pcsc-unavailable']);

/** Nothing was done, because the card is in no reader of this device: it may be there tomorrow. */
export const isElsewhere = ({ code }: DomainError): boolean => ELSEWHERE.has(code);

const KEPT = {
  code: 'card-kept-its-key',
  detail: 'The card said that it took the new administrator key, and still answers to the old one.',
};

type Begun = Extract<TaskState, { step: 'offered' | 'changing' }> & { readonly offer: ReplacementOffer };

/** Undefined for an entry of another kind, which can't be this task's. */
function journal(work: TaskWork, task: AgentTask): Begun | undefined {
  const state = readStore(work).task(work.serverUrl, task.taskId)?.state;
  if (state?.step !== 'offered' && state?.step !== 'changing') return undefined;
  const { step, offer } = state;
  return offer.kind === 'replacement' ? { step, offer } : undefined;
}

const isKeyAlgorithm = (text: string): text is KeyAlgorithm => KEY_ALGORITHMS.some((known) => known === text);

const save = (work: TaskWork, task: AgentTask, state: TaskState): Promise<void> =>
  changeStore(work, (store) => store.putTask({ ...entryOf(work, task), state }));
