import { expect, test } from 'vitest';
import {
  allowedOperationActions,
  type Counts,
  demandAct,
  OPERATION_STATES,
  type Operation,
  shownState,
} from './operation.ts';

const NOW = new Date('2026-11-20T09:00:00Z');
const counts: Counts = { pending: 1, decided: 0, done: 0, failed: 0, skipped: 0, added: 0 };
const operation = (change: Partial<Operation>): Operation => ({
  id: 'id',
  kind: 'revocation-batch',
  state: 'planned',
  input: {},
  counts,
  reason: 'All',
  ticket: null,
  requestedBy: { id: 'ada', name: 'ada', role: 'security-officer' },
  requestId: 'request',
  createdAt: NOW,
  expiresAt: new Date(NOW.getTime() + 1),
  startedAt: null,
  finishedAt: null,
  ...change,
});
const codeOf = (act: 'run' | 'finish' | 'cancel', change: Partial<Operation>) => {
  try {
    demandAct(act, operation(change), NOW);
    return 'may';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

test('a plan runs once, and ends done or cancelled', () => {
  const table = (act: 'run' | 'finish' | 'cancel') => OPERATION_STATES.map((state) => codeOf(act, { state }));
  const [planned, running, done, cancelled, expired] = OPERATION_STATES.map((state) => `operation-${state}`);
  expect(table('run')).toEqual(['may', running, done, cancelled, expired]);
  expect(table('finish')).toEqual([planned, 'may', done, cancelled, expired]);
  expect(table('cancel')).toEqual(['may', 'may', done, cancelled, expired]);
});

test('a plan that is too old, or has nothing in it, does not run', () => {
  expect(shownState(operation({ expiresAt: NOW }), NOW)).toBe('expired');
  expect(codeOf('run', { expiresAt: NOW })).toBe('operation-expired');
  expect(codeOf('run', { counts: { ...counts, pending: 0, skipped: 7 } })).toBe('nothing-to-do');
  // Time is no matter once it runs.
  expect(shownState(operation({ state: 'running', expiresAt: NOW }), NOW)).toBe('running');
});

test('what may be done is said, and why not', () => {
  const may = new Set(['certificates:revoke'] as const);
  const allowed = (change: Partial<Operation>) =>
    allowedOperationActions(operation(change), NOW, may).map((one) => one.allowed);
  expect(allowed({})).toEqual([true, true]);
  expect(allowed({ state: 'running' })).toEqual([false, true]);
  expect(allowed({ state: 'done' })).toEqual([false, false]);
  const [refused] = allowedOperationActions(operation({}), NOW, new Set());
  expect(refused?.disabledReason).toBe('Your role lacks the permission certificates:revoke.');
});
