import { describe, expect, it } from 'vitest';
import type { Claim } from './claim.ts';
import {
  advance,
  isPlaced,
  type Journal,
  type JournalEvent,
  type JournalState,
  nextAction,
  type PlacedState,
  reconcile,
  startJournal,
} from './journal.ts';

const claim: Claim = {
  enrolmentId: 'e1',
  cardId: 'c1',
  cardSerial: 'CW-7K3M-92QF',
  deviceId: 'd1',
  person: { displayName: 'Mary Major', userPrincipalName: 'mary@example.com' },
  method: 'code',
  initialPin: 'holder',
  handOver: null,
  profile: {
    pinLimit: 5,
    attestation: 'off',
    pinPolicy: {
      minLength: 6,
      maxLength: 32,
      uppercase: 'allowed',
      lowercase: 'allowed',
      digits: 'allowed',
      special: 'allowed',
      refuseSequences: true,
      refuseRepeats: true,
      refuseCommon: true,
    },
    containers: [
      { container: 'sign-in', keyType: 'ec-p256' },
      { container: 'signature', keyType: 'rsa-2048' },
    ],
  },
};

const PATH: readonly JournalEvent[] = [
  { event: 'claimed', claim },
  {
    event: 'key-received',
    wrapped: { keyVersion: 1, name: '000b', public: 'AA==', duplicate: 'AQ==', inSymSeed: 'Ag==' },
  },
  { event: 'key-imported', blob: 'Aw==' },
  { event: 'slot-chosen', slot: 0x01800000 },
  { event: 'prepared' },
  { event: 'first-write-asked' },
  { event: 'first-write-answered', selfChange: { approvedPolicy: 'BA==', signature: 'BQ==' } },
  { event: 'written' },
  { event: 'key-made', container: 'sign-in', blob: 'Bg==' },
  { event: 'csr-made', container: 'sign-in', csr: 'Bw==' },
  { event: 'certified', container: 'sign-in', certificateId: 'x1', certificate: 'CA==', chain: ['CQ=='] },
  { event: 'key-made', container: 'signature', blob: 'Cg==' },
  { event: 'csr-made', container: 'signature', csr: 'Cw==' },
  { event: 'certified', container: 'signature', certificateId: 'x2', certificate: 'DA==', chain: ['CQ=='] },
];

const start = startJournal({ codeDigest: 'ab', server: 'https://x', startedAt: '2026-11-20T09:00:00Z' });
/** The journal after so many events of the path. */
const at = (count: number): Journal => PATH.slice(0, count).reduce(advance, start);
const placed = (step: PlacedState['step']): PlacedState => {
  for (let count = 0; count <= PATH.length; count++) {
    const { state } = at(count);
    if (state.step === step && isPlaced(state)) return state;
  }
  throw new Error(step);
};

describe('the journal of an enrolment', () => {
  it('says what comes next, all the way', () => {
    const actions = Array.from({ length: PATH.length + 1 }, (_, count) => nextAction(at(count).state).action);
    expect(actions).toEqual([
      'claim',
      'request-key',
      'import-key',
      'choose-slot',
      'prepare',
      'first-write',
      'await-first-write',
      'await-first-write',
      'make-key',
      'make-csr',
      'request-certificate',
      'make-key',
      'make-csr',
      'request-certificate',
      'complete',
    ]);
  });

  it('takes no event but the one that follows', () => {
    for (let count = 0; count <= PATH.length; count++) {
      const journal = at(count);
      PATH.forEach((event, index) => {
        if (index === count) return;
        // The two containers may come in either order; within one, steps may not.
        const otherContainer = 'container' in event && event.event === 'key-made' && index > count && count >= 8;
        if (otherContainer) return;
        expect(() => advance(journal, event), `${count}: ${event.event}`).toThrow(/^journal-out-of-order/);
      });
    }
  });

  it('does not change the journal it is given', () => {
    const before = JSON.stringify(at(9));
    const journal = at(9);
    advance(journal, { event: 'started-over' });
    expect(JSON.stringify(journal)).toBe(before);
  });

  it('starts over from every claimed state, keeping the claim and nothing else', () => {
    for (let count = 1; count <= PATH.length; count++) {
      expect(advance(at(count), { event: 'started-over' }).state).toEqual({ step: 'claimed', claim });
    }
    expect(() => advance(start, { event: 'started-over' })).toThrow(/^journal-out-of-order/);
  });

  it('refuses a container that is not of the profile', () => {
    expect(() => advance(at(8), { event: 'key-made', container: 'other', blob: 'AA==' })).toThrow(
      /^journal-out-of-order/,
    );
  });
});

describe('a restart', () => {
  const over = { go: 'after', event: { event: 'started-over' }, discard: false };
  const discard = { ...over, discard: true };
  const on = { go: 'on' };
  const cases: [PlacedState['step'], Record<'absent' | 'foreign' | 'defined' | 'written', unknown>][] = [
    [
      'slot-chosen',
      {
        absent: on,
        foreign: { go: 'after', event: { event: 'slot-lost' }, discard: false },
        defined: on,
        written: discard,
      },
    ],
    ['prepared', { absent: over, foreign: over, defined: { go: 'prepare-again' }, written: discard }],
    // A first write that was asked for and not used is gone: the server answers once a key.
    ['first-write-asked', { absent: over, foreign: over, defined: discard, written: discard }],
    [
      'first-write-answered',
      {
        absent: over,
        foreign: over,
        defined: discard,
        written: { go: 'after', event: { event: 'written' }, discard: false },
      },
    ],
    ['written', { absent: over, foreign: over, defined: discard, written: on }],
  ];

  it.each(cases)('at %s goes by what the device holds', (step, expected) => {
    const state = placed(step);
    for (const found of ['absent', 'foreign', 'defined', 'written'] as const) {
      expect(reconcile(state, found), found).toEqual(expected[found]);
    }
  });

  it('never touches what is not ours', () => {
    for (const [step] of cases) {
      const decision = reconcile(placed(step), 'foreign');
      expect('discard' in decision && decision.discard).toBe(false);
    }
  });

  it.each(cases)('at %s decides on something that the journal can take', (step, expected) => {
    const journal: Journal = { ...start, state: placed(step) as JournalState };
    for (const found of Object.keys(expected) as (keyof typeof expected)[]) {
      const decision = reconcile(placed(step), found);
      if (decision.go === 'after') expect(() => advance(journal, decision.event)).not.toThrow();
    }
  });
});
