import { DomainError } from '@cardwright/protocol';
import type { Journal } from '../enrolment/journal.ts';
import {
  emptyDocument,
  type KnownServer,
  OUTCOMES_MAX,
  parseDocument,
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
    this.#write({ ...this.#document, cards });
  }

  /** The oldest makes room when there are too many: its session is closed at the server by hand. */
  putOutcome(outcome: UnblockOutcome): void {
    const outcomes = [...this.#withoutOutcome(outcome), outcome].slice(-OUTCOMES_MAX);
    this.#write({ ...this.#document, outcomes });
  }

  dropOutcome(outcome: UnblockOutcome): void {
    this.#write({ ...this.#document, outcomes: this.#withoutOutcome(outcome) });
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
