import { describe, expect, it } from 'vitest';
import { type CmsEvent, compareRecords, compareText, type RecordedUse } from './compare.ts';

const CARD = '0199f2a0-3333-7000-8000-000000000003';
const use = (more: Partial<RecordedUse> = {}): RecordedUse => ({
  ...{ sequence: '1', at: '2026-03-02T09:15:27.120Z', operation: 'answer', cardId: CARD, requestedBy: 'op' },
  ...{ requestId: 'r', challengeDigest: 'aa', outcome: 'done' },
  ...more,
});
const intent = (more: Partial<CmsEvent> = {}): CmsEvent => ({
  ...{ id: '1', time: '2026-03-02T09:15:27.110Z', actorId: 'op', action: 'unblock.answer-requested', outcome: 'done' },
  ...{ cardId: CARD, requestId: 'r', challengeDigest: 'aa', settled: true },
  ...more,
});
const outcome = (more: Partial<CmsEvent> = {}) => intent({ action: 'unblock.answered', ...more });

/** Each operation of a change, what cms writes before it asks, and after. */
const KEY_CHANGES = [
  ['key.propose-successor', 'offer-requested', 'offered'],
  ['key.propose-replacement', 'offer-requested', 'offered'],
  ['answer', 'answer-requested', 'answered'],
  ['key.confirm-change', 'confirmation-requested', 'confirmed'],
] as const;

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}
async function differences(uses: readonly RecordedUse[], events: readonly CmsEvent[]): Promise<string[]> {
  const found: string[] = [];
  for await (const one of compareRecords(each(uses), each(events))) found.push(`${one.kind}: ${one.why}`);
  return found;
}

describe('what agrees', () => {
  it.each<[string, RecordedUse[], CmsEvent[]]>([
    ['a use with its intent and its outcome', [use()], [intent(), outcome()]],
    ['a use whose outcome cms could not write any more', [use()], [intent()]],
    ['an intent that never reached the vault', [], [intent()]],
    ['a refusal that cms noted as anything', [use({ outcome: 'challenge-length' })], [intent({ action: 'x.y' })]],
    ['an outcome from after the record was read', [], [intent(), outcome({ settled: false })]],
    ['an act at the command line of the vault', [use({ operation: 'vault.record-acknowledged' })], []],
    ['a look at what keys there are', [use({ operation: 'key.describe' })], []],
    [
      'a batch that cms names as one',
      [use({ operation: 'key.import' })],
      [intent({ action: 'import.begun', cardId: null })],
    ],
    ...KEY_CHANGES.map(([operation, asked, done]): [string, RecordedUse[], CmsEvent[]] => [
      `${operation} as a change of a card's key asks for it`,
      [use({ operation })],
      [intent({ action: `key-change.${asked}` }), outcome({ action: `key-change.${done}` })],
    ]),
    ['two uses that cms asked for twice', [use(), use({ sequence: '2' })], [intent(), intent({ id: '2' })]],
  ])('%s', async (_, uses, events) => {
    expect(await differences(uses, events)).toEqual([]);
  });
});

describe('what differs', () => {
  it.each<[string, RecordedUse[], CmsEvent[], string]>([
    ['a use that cms hides', [use()], [], 'only-in-vault: cms has nothing of this request'],
    [
      'a second use for one intent',
      [use(), use({ sequence: '2' })],
      [intent()],
      'only-in-vault: cms says that this request asked once',
    ],
    [
      'another card',
      [use({ cardId: 'other' })],
      [intent()],
      'only-in-vault: cms says that this request was about another card',
    ],
    [
      'another requester',
      [use({ requestedBy: 'eve' })],
      [intent()],
      'only-in-vault: cms says that somebody else asked',
    ],
    [
      'another act',
      [use({ operation: 'key.confirm' })],
      [intent()],
      'only-in-vault: cms says that this request asked for something else',
    ],
    [
      'another challenge',
      [use({ challengeDigest: 'bb' })],
      [intent()],
      'only-in-vault: cms says that another challenge was to be answered',
    ],
    ...KEY_CHANGES.flatMap(([operation, asked, done]): [string, RecordedUse[], CmsEvent[], string][] => [
      [
        `${operation} that the change of a key never asked for`,
        [use({ operation })],
        [intent({ action: 'key-change.requested' })],
        'only-in-vault: cms says that this request asked for something else',
      ],
      [
        `${operation} twice`,
        [use({ operation }), use({ operation, sequence: '2' })],
        [intent({ action: `key-change.${asked}` })],
        'only-in-vault: cms says that this request asked once',
      ],
      [
        `key-change.${done} without ${operation}`,
        [use({ operation: 'key.confirm' })],
        [intent({ action: 'enrolment.completion-requested' }), outcome({ action: `key-change.${done}` })],
        'only-in-cms: the vault has no such use of this card by this request',
      ],
    ]),
    [
      'another challenge of a card whose key is changed',
      [use({ challengeDigest: 'bb' })],
      [intent({ action: 'key-change.answer-requested' })],
      'only-in-vault: cms says that another challenge was to be answered',
    ],
    ['a claim without a use', [], [outcome()], 'only-in-cms: the vault has no such use of this card by this request'],
    [
      'a claim after a refusal',
      [use({ outcome: 'vault-limit-reached' })],
      [intent(), outcome()],
      'only-in-cms: the vault has no such use of this card by this request',
    ],
  ])('%s', async (_, uses, events, expected) => {
    expect(await differences(uses, events)).toEqual([expected]);
  });

  it('is found wherever it is among many, in the order of bytes', async () => {
    const ids = Array.from({ length: 500 }, (_, n) => `r${n}`)
      .concat('Ä', '\u{1f511}', '\uffee')
      .sort(compareText);
    const uses = ids.filter((id) => id !== 'r7').map((requestId) => use({ requestId }));
    const events = ids
      .filter((id) => id !== '\uffee')
      .flatMap((requestId) => [intent({ requestId }), outcome({ requestId })]);
    expect(await differences(uses, events)).toEqual([
      'only-in-cms: the vault has no such use of this card by this request',
      'only-in-vault: cms has nothing of this request',
    ]);
  });
});
