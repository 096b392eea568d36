import { DomainError } from '@cardwright/protocol';
import type { Journal } from '../enrolment/journal.ts';
import { MESSAGES_MAX, type StoredMessage, TASKS_MAX, type TaskEntry } from '../tasks/journal.ts';
import {
  emptyDocument,
  type KnownServer,
  OUTCOMES_MAX,
  type ProtectedLockout,
  parseDocument,
  type RenewalEntry,
  type StoreDocument,
  type StoredCard,
  serialise,
  type UnblockOutcome,
} from './document.ts';

/** Where the document is kept. */
export interface StoreMedium {
  /** Undefined when there is none yet. */
  read(): string | undefined;
  /** All or nothing, and durable when it returns: after a power loss either the old text is there or the new one. */
  replace(text: string): void;
}

/**
 * The document and its changes. Each method that changes something is one durable write. Reading needs no lock; whoever
 * changes holds the store's lock for as long as the decision depends on what was read.
 */
export class Store {
  readonly #medium: StoreMedium;
  #document: StoreDocument;

  constructor(medium: StoreMedium) {
    this.#medium = medium;
    const text = medium.read();
    this.#document = text === undefined ? emptyDocument() : parseDocument(text);
  }

  get document(): StoreDocument {
    return this.#document;
  }

  server(url: string): KnownServer | undefined {
    return this.#document.servers.find((server) => server.url === url);
  }

  journal(url: string, codeDigest: string): Journal | undefined {
    return this.#document.enrolments.find((journal) => journal.server === url && journal.codeDigest === codeDigest);
  }

  cardOfCode(url: string, codeDigest: string): StoredCard | undefined {
    return this.#document.cards.find((card) => card.server === url && card.codeDigest === codeDigest);
  }

  /** Throws `store-of-another-tpm` (conflict). A store that is bound to no device yet fits every one. */
  requireDevice(storageKeyName: string): void {
    const bound = this.#document.storageKeyName;
    if (bound !== null && bound !== storageKeyName) {
      throw new DomainError(
        'conflict',
        'store-of-another-tpm',
        'This store belongs to another TPM, or the TPM was cleared since: its keys can never be used here. ' +
          'Name another TPM (--tpm), or another store (--store) and enrol anew; then have the old cards retired.',
      );
    }
  }

  putServer(server: KnownServer): void {
    const servers = this.#document.servers.filter((known) => known.url !== server.url);
    this.#write({ ...this.#document, servers: [...servers, server] });
  }

  putJournal(journal: Journal, storageKeyName: string): void {
    this.#write({ ...this.#document, storageKeyName, enrolments: [...this.#without(journal), journal] });
  }

  dropJournal(journal: Journal): void {
    this.#write({ ...this.#document, enrolments: this.#without(journal) });
  }

  /** The enrolment becomes a card in one write: it is never both, and never neither. */
  finishJournal(journal: Journal, card: StoredCard): void {
    const cards = this.#document.cards.filter((known) => known.cardId !== card.cardId);
    this.#write({ ...this.#document, enrolments: this.#without(journal), cards: [...cards, card] });
  }

  putCard(card: StoredCard): void {
    const cards = this.#document.cards.map((known) => (known.cardId === card.cardId ? card : known));
    this.#write({ ...this.#document, cards });
  }

  dropCard(card: StoredCard): void {
    const cards = this.#document.cards.filter((known) => known.cardId !== card.cardId);
    const renewals = this.#document.renewals.filter((known) => known.cardId !== card.cardId);
    this.#write({ ...this.#document, cards, renewals });
  }

  putLockout(lockout: ProtectedLockout): void {
    this.#write({ ...this.#document, lockout });
  }

  /** The oldest makes room when there are too many: its session is closed at the server by hand. */
  putOutcome(outcome: UnblockOutcome): void {
    const outcomes = [...this.#withoutOutcome(outcome), outcome].slice(-OUTCOMES_MAX);
    this.#write({ ...this.#document, outcomes });
  }

  dropOutcome(outcome: UnblockOutcome): void {
    this.#write({ ...this.#document, outcomes: this.#withoutOutcome(outcome) });
  }

  card(cardId: string): StoredCard | undefined {
    return this.#document.cards.find((card) => card.cardId === cardId);
  }

  task(server: string, taskId: string): TaskEntry | undefined {
    return this.#document.tasks.find((entry) => entry.server === server && entry.taskId === taskId);
  }

  /** `card`, if the step changed it: both in one write. Throws `too-many-tasks` (conflict). */
  putTask(entry: TaskEntry, card?: StoredCard): void {
    const tasks = [...this.#withoutTask(entry), entry];
    if (tasks.length > TASKS_MAX) {
      const detail = `The store holds ${TASKS_MAX} unfinished tasks already.`;
      throw new DomainError('conflict', 'too-many-tasks', detail);
    }
    const cards = this.#document.cards.map((known) => (known.cardId === card?.cardId ? card : known));
    this.#write({ ...this.#document, cards, tasks });
  }

  /** The task is over and its card is gone: in one write. */
  finishTaskWithoutCard(entry: TaskEntry, cardId: string): void {
    const cards = this.#document.cards.filter((known) => known.cardId !== cardId);
    const renewals = this.#document.renewals.filter((known) => known.cardId !== cardId);
    this.#write({ ...this.#document, cards, renewals, tasks: [...this.#withoutTask(entry), entry] });
  }

  dropTasks(entries: readonly TaskEntry[]): void {
    const same = (a: TaskEntry, b: TaskEntry) => a.server === b.server && a.taskId === b.taskId;
    const tasks = this.#document.tasks.filter((known) => !entries.some((entry) => same(known, entry)));
    if (tasks.length < this.#document.tasks.length) this.#write({ ...this.#document, tasks });
  }

  /** With the end of its task, in one write. A message that is there already is not put twice; the oldest makes room. */
  putMessage(message: StoredMessage, entry: TaskEntry): void {
    const known = this.#document.messages.some(
      ({ server, taskId }) => server === message.server && taskId === message.taskId,
    );
    const messages = known ? this.#document.messages : [...this.#document.messages, message].slice(-MESSAGES_MAX);
    this.#write({ ...this.#document, messages, tasks: [...this.#withoutTask(entry), entry] });
  }

  /** One of this agent's own, not of a server's task. */
  putOwnMessage(message: StoredMessage): void {
    if (this.#document.messages.some(({ taskId }) => taskId === message.taskId)) return;
    this.#write({ ...this.#document, messages: [...this.#document.messages, message].slice(-MESSAGES_MAX) });
  }

  renewal(cardId: string, container: string): RenewalEntry | undefined {
    return this.#document.renewals.find((entry) => entry.cardId === cardId && entry.state.container === container);
  }

  putRenewal(entry: RenewalEntry): void {
    this.#write({ ...this.#document, renewals: [...this.#withoutRenewal(entry), entry] });
  }

  dropRenewal(entry: RenewalEntry): void {
    this.#write({ ...this.#document, renewals: this.#withoutRenewal(entry) });
  }

  /** The new certificate, and its key, take the place of the old: in one write. */
  finishRenewal(entry: RenewalEntry, card: StoredCard): void {
    const cards = this.#document.cards.map((known) => (known.cardId === card.cardId ? card : known));
    this.#write({ ...this.#document, cards, renewals: this.#withoutRenewal(entry) });
  }

  #withoutRenewal({ cardId, state }: RenewalEntry): RenewalEntry[] {
    const { container } = state;
    return this.#document.renewals.filter((known) => known.cardId !== cardId || known.state.container !== container);
  }

  putMessages(messages: readonly StoredMessage[]): void {
    this.#write({ ...this.#document, messages: [...messages] });
  }

  #withoutTask({ server, taskId }: TaskEntry): TaskEntry[] {
    return this.#document.tasks.filter((known) => known.server !== server || known.taskId !== taskId);
  }

  #withoutOutcome({ server, sessionId }: UnblockOutcome): UnblockOutcome[] {
    return this.#document.outcomes.filter((known) => known.server !== server || known.sessionId !== sessionId);
  }

  #without(journal: Journal): Journal[] {
    const { enrolments } = this.#document;
    return enrolments.filter((known) => known.server !== journal.server || known.codeDigest !== journal.codeDigest);
  }

  #write(document: StoreDocument): void {
    const text = serialise(document);
    // Reads back through the same bounds: what could not be read again is never written.
    parseDocument(text);
    this.#medium.replace(text);
    this.#document = document;
  }
}
