import { describe, expect, it } from 'vitest';
import { startJournal } from '../enrolment/journal.ts';
import { parseDocument, serialise } from './document.ts';
import { exampleCard, exampleDocument } from './fixture.ts';
import { Store, type StoreMedium } from './store.ts';

class MemoryMedium implements StoreMedium {
  text: string | undefined;
  writes = 0;
  constructor(text?: string) {
    this.text = text;
  }
  read() {
    return this.text;
  }
  replace(text: string) {
    this.text = text;
    this.writes++;
  }
}

const spoilt = (change: (document: ReturnType<typeof copy>) => void) => {
  const document = copy();
  change(document);
  return JSON.stringify(document);
};
const copy = () => structuredClone(exampleDocument('CW-1111-1111')) as unknown as Record<string, never>;

describe('the document', () => {
  it('is read as it was written', () => {
    const document = exampleDocument('CW-1111-1111', 'CW-2222-2222');
    expect(parseDocument(serialise(document))).toEqual(document);
  });

  it.each([
    ['', 'store-damaged'],
    ['{', 'store-damaged'],
    ['null', 'store-damaged'],
    ['[]', 'store-damaged'],
    ['"x"', 'store-damaged'],
    ['{}', 'store-damaged'],
    [serialise(exampleDocument('CW-1111-1111')).slice(0, -20), 'store-damaged'],
    [spoilt((d) => Object.assign(d, { version: 2 })), 'store-of-newer-version'],
    [spoilt((d) => Object.assign(d, { version: 0 })), 'store-damaged'],
    [spoilt((d) => Object.assign(d, { extra: 1 })), 'store-damaged'],
    [spoilt((d) => Object.assign(d, { cards: [{}] })), 'store-damaged'],
    [spoilt((d) => Object.assign(d, { cards: Array(257).fill(exampleCard('CW-1111-1111')) })), 'store-damaged'],
    [spoilt((d) => Object.assign(d, { storageKeyName: 'xyz' })), 'store-damaged'],
  ])('%# is refused as %s', (text, code) => {
    expect(() => parseDocument(text)).toThrow(expect.objectContaining({ code }));
  });

  it('of an earlier version, without what came since, is read', () => {
    const { outcomes, renewals, tasks, messages, ...older } = exampleDocument();
    const { successions, ...card } = exampleCard('CW-1111-1111');
    const read = parseDocument(JSON.stringify({ ...older, cards: [card] }));
    expect(read).toEqual(exampleDocument('CW-1111-1111'));
    expect([outcomes, renewals, tasks, messages, successions]).toEqual([[], [], [], [], []]);
  });

  it('does not put its secrets into what is wrong with it', () => {
    const text = spoilt((d) => Object.assign(d, { servers: [{ url: 1, deviceToken: 'B'.repeat(43) }] }));
    expect(() => parseDocument(text)).toThrow(expect.not.objectContaining({ message: expect.stringContaining('BBB') }));
  });
});

describe('the store', () => {
  const journal = startJournal({
    codeDigest: 'ab'.repeat(32),
    server: 'https://cards.example.org',
    startedAt: '2026-11-20T09:00:00Z',
  });

  it('begins empty and takes any device, then only its own', () => {
    const store = new Store(new MemoryMedium());
    store.requireDevice('000b01');
    store.putJournal(journal, '000b01');
    store.requireDevice('000b01');
    expect(() => store.requireDevice('000b02')).toThrow(expect.objectContaining({ code: 'store-of-another-tpm' }));
  });

  it('makes a card of an enrolment in one write', () => {
    const medium = new MemoryMedium();
    const store = new Store(medium);
    store.putJournal(journal, '000b01');
    const before = medium.writes;
    store.finishJournal(journal, exampleCard('CW-1111-1111'));
    expect(medium.writes - before).toBe(1);
    const again = new Store(new MemoryMedium(medium.text));
    expect(again.document.enrolments).toEqual([]);
    expect(again.cardOfCode(journal.server, journal.codeDigest)?.serial).toBe('CW-1111-1111');
  });

  it('replaces, and drops, what it names and nothing else', () => {
    const store = new Store(new MemoryMedium(serialise(exampleDocument('CW-1111-1111', 'CW-2222-2222'))));
    store.putCard({ ...exampleCard('CW-1111-1111'), state: 'destroying' });
    expect(store.document.cards.map(({ state }) => state)).toEqual(['destroying', 'active']);
    store.dropCard(exampleCard('CW-1111-1111'));
    expect(store.document.cards.map(({ serial }) => serial)).toEqual(['CW-2222-2222']);
    store.putJournal(journal, '000b01');
    store.putJournal({ ...journal, codeDigest: 'cd'.repeat(32) }, '000b01');
    store.dropJournal(journal);
    expect(store.document.enrolments.map(({ codeDigest }) => codeDigest)).toEqual(['cd'.repeat(32)]);
  });

  it('keeps outcomes until they are dropped, one a session, and a bounded number', () => {
    const store = new Store(new MemoryMedium());
    const outcome = { server: 'https://cards.example.org', sessionId: 'session-1', outcome: 'failed' as const };
    store.putOutcome(outcome);
    store.putOutcome({ ...outcome, outcome: 'worked' });
    expect(store.document.outcomes).toEqual([{ ...outcome, outcome: 'worked' }]);
    for (let n = 2; n <= 70; n++) store.putOutcome({ ...outcome, sessionId: `session-${n}` });
    expect(store.document.outcomes).toHaveLength(64);
    store.dropOutcome({ ...outcome, sessionId: 'session-70' });
    expect(store.document.outcomes.at(-1)?.sessionId).toBe('session-69');
  });

  it('of before outcomes were kept is read, with none', () => {
    const { outcomes: _, ...before } = exampleDocument('CW-1111-1111');
    expect(parseDocument(JSON.stringify(before)).outcomes).toEqual([]);
  });

  it('never writes what it could not read again', () => {
    const medium = new MemoryMedium();
    const store = new Store(medium);
    expect(() => store.putJournal({ ...journal, codeDigest: 'no hex' }, '000b01')).toThrow();
    expect(medium.writes).toBe(0);
    expect(store.document.enrolments).toEqual([]);
  });
});
