import { describe, expect, it } from 'vitest';
import {
  actsOn,
  type CardFacts,
  demandOrder,
  demandSame,
  doesNothing,
  type Facts,
  LIFE_CYCLE_ACTS,
  type LifeCycleAct,
  type Order,
  planAct,
  previewToken,
  type SubjectKind,
} from './act.ts';

const card = (change: Partial<CardFacts> = {}): CardFacts => ({
  id: 'card',
  serial: 'CW-1',
  kind: 'tpm',
  state: 'active',
  personId: 'dana',
  deviceId: 'lap',
  profileName: 'tpm-standard',
  reissue: 'none',
  certificates: [{ id: 'certificate', serialNumber: 'aa' }],
  sessions: [],
  tasks: [],
  keyChangeId: null,
  ...change,
});
const facts = (cards: readonly CardFacts[], enrolments: Facts['enrolments'] = []): Facts => ({ cards, enrolments });
const order = (act: LifeCycleAct, change: Partial<Order> = {}): Order => ({
  act,
  subject: { kind: 'device', id: 'lap' },
  ...change,
});
const codeOf = (work: () => unknown) => {
  try {
    work();
    return 'may';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('what follows', () => {
  it.each([
    ['device-lost', 'lost', 'cessationOfOperation', 1],
    ['device-stolen', 'compromised', 'keyCompromise', 1],
    ['device-handed-over', 'retired', 'cessationOfOperation', 0],
    ['system-reinstalled', 'retired', 'superseded', 1],
    ['person-left', 'retired', 'affiliationChanged', 0],
  ] as const)('from %s: the card is %s, its certificates %s, and new cards: %d', (act, to, reason, made) => {
    const plan = planAct(order(act), facts([card()]));
    expect(plan.cards).toMatchObject([{ from: 'active', to }]);
    expect(plan.certificates).toMatchObject([{ id: 'certificate', reason }]);
    expect(plan.enrolmentsMade).toHaveLength(made);
    expect(plan.tasksQueued).toEqual([{ kind: 'destroy', cardId: 'card', deviceId: 'lap' }]);
  });

  it('ends what is under way for the card, and asks once for its destruction', () => {
    const tasks = [
      { id: 'r', kind: 'renew' },
      { id: 'd', kind: 'destroy' },
    ];
    const plan = planAct(
      order('device-stolen'),
      facts([card({ tasks, keyChangeId: 'k', sessions: [{ id: 's', state: 'open' }] })]),
    );
    expect(plan.tasksCancelled).toEqual([{ id: 'r', kind: 'renew', cardId: 'card' }]);
    expect(plan.tasksQueued).toEqual([]);
    expect(plan.keyChangesCancelled).toEqual([{ id: 'k', cardId: 'card' }]);
    expect(plan.sessionsEnded).toEqual([{ id: 's', cardId: 'card', state: 'open' }]);
  });

  it('for a card that is being made is that its enrolment ends', () => {
    const making = card({ state: 'created' });
    const plan = planAct(order('device-stolen'), facts([making], [{ id: 'e', personId: 'dana', cardId: 'card' }]));
    expect(plan.cards).toMatchObject([{ from: 'created', to: 'retired' }]);
    expect(plan.certificates).toMatchObject([{ reason: 'cessationOfOperation' }]);
    expect(plan.enrolmentsCancelled).toHaveLength(1);
    expect(plan.enrolmentsMade).toEqual([]);
  });

  it('leaves the person who gets the computer alone, and gives them a code', () => {
    const both = [card(), card({ id: 'theirs', personId: 'nora' })];
    const plan = planAct(
      order('device-handed-over', { newPersonId: 'nora' }),
      facts(both, [{ id: 'e', personId: 'nora', cardId: 'theirs' }]),
    );
    expect(plan.cards.map(({ cardId }) => cardId)).toEqual(['card']);
    expect(plan.enrolmentsCancelled).toEqual([]);
    expect(plan.enrolmentsMade).toEqual([{ personId: 'nora', cardProfile: 'tpm-standard', replacesCardId: null }]);
  });

  it('says what it can not do, and why', () => {
    const plan = planAct(
      order('device-lost', { subject: { kind: 'card', id: 'card' } }),
      facts([card({ state: 'retired' })]),
    );
    expect(plan.notDone).toMatchObject([{ code: 'card-retired' }]);
    const old = planAct(order('device-stolen'), facts([card({ kind: 'minidriver', profileName: null })]));
    expect(old.notDone).toMatchObject([{ code: 'card-not-reissuable' }]);
    expect(old.tasksQueued).toEqual([]);
    const twice = planAct(order('device-stolen'), facts([card({ reissue: 'open' })]));
    expect(twice.notDone).toMatchObject([{ code: 'reissue-open' }]);
    // Cards that were out of use long before are nobody's concern.
    const { notDone, enrolmentsMade } = planAct(
      order('device-lost'),
      facts([card({ state: 'retired', certificates: [] })]),
    );
    expect([notDone, enrolmentsMade]).toEqual([[], []]);
  });
});

it('an act is about what it can be about', () => {
  const kinds: SubjectKind[] = ['card', 'device', 'person'];
  expect(kinds.map((kind) => actsOn(kind))).toEqual([
    ['device-lost', 'device-stolen', 'system-reinstalled'],
    ['device-lost', 'device-stolen', 'device-handed-over', 'system-reinstalled'],
    ['person-left'],
  ]);
  for (const act of LIFE_CYCLE_ACTS) {
    for (const kind of kinds) {
      const judged = codeOf(() => demandOrder(order(act, { subject: { kind, id: 'x' } })));
      expect(judged).toBe(actsOn(kind).includes(act) ? 'may' : 'act-not-for-subject');
    }
  }
  expect(codeOf(() => demandOrder(order('system-reinstalled', { reissue: false })))).toBe('reissue-not-for-act');
  expect(codeOf(() => demandOrder(order('device-lost', { newPersonId: 'nora' })))).toBe('new-person-not-for-act');
});

it('a token is of one plan', () => {
  const plan = planAct(order('device-lost'), facts([card()]));
  expect(previewToken(planAct(order('device-lost'), facts([card()])))).toBe(previewToken(plan));
  expect(codeOf(() => demandSame(plan, previewToken(plan)))).toBe('may');
  for (const other of [
    planAct(order('device-stolen'), facts([card()])),
    planAct(order('device-lost', { reissue: false }), facts([card()])),
    planAct(order('device-lost'), facts([card({ state: 'blocked' })])),
    planAct(order('device-lost'), facts([card({ certificates: [] })])),
  ]) {
    expect(codeOf(() => demandSame(other, previewToken(plan)))).toBe('preview-stale');
  }
  const nothing = planAct(order('device-lost'), facts([]));
  expect(doesNothing(nothing)).toBe(true);
  expect(codeOf(() => demandSame(nothing, previewToken(nothing)))).toBe('nothing-to-do');
});
