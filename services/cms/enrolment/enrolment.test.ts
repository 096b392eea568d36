import { expect, test } from 'vitest';
import { allowedActions, assertMay, claimedBy, type Enrolment, type EnrolmentAct, shownState } from './enrolment.ts';

const MAY = new Set(['enrolments:cancel'] as const);
const NOW = new Date('2026-11-20T09:00:00Z');
function enrolment(state: Enrolment['state'], seconds = 60): Enrolment {
  const common = {
    id: 'e',
    method: 'code' as const,
    initialPin: 'holder' as const,
    supervision: null,
    handOver: null,
    personId: 'p',
    replacesCardId: null,
    profileName: 'tpm-default',
    expiresAt: new Date(NOW.getTime() + seconds * 1000),
    createdAt: NOW,
    createdBy: { id: 'o', name: 'helpdesk' },
  };
  return state === 'open' ? { ...common, state } : { ...common, state, deviceId: 'd', cardId: 'c' };
}

function codeOf(work: () => unknown): string {
  try {
    work();
    return 'yes';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

test.each<[EnrolmentAct, string[]]>([
  ['claim', ['yes', 'enrolment-code-used', 'enrolment-code-used', 'enrolment-cancelled']],
  ['complete', ['enrolment-not-claimed', 'yes', 'enrolment-completed', 'enrolment-cancelled']],
  ['cancel', ['yes', 'yes', 'enrolment-completed', 'enrolment-cancelled']],
])('%s, in every state', (act, expected) => {
  const states = ['open', 'claimed', 'completed', 'cancelled'] as const;
  expect(states.map((state) => codeOf(() => assertMay(act, enrolment(state), NOW)))).toEqual(expected);
});

test('time ends the claim of a code, and not what was claimed in time', () => {
  expect(shownState(enrolment('open', 0), NOW)).toBe('expired');
  expect(codeOf(() => assertMay('claim', enrolment('open', 0), NOW))).toBe('enrolment-code-expired');
  expect(shownState(enrolment('claimed', 0), NOW)).toBe('claimed');
  expect(codeOf(() => assertMay('complete', enrolment('claimed', 0), NOW))).toBe('yes');
});

test('a device sees its own enrolments and no others', () => {
  expect(codeOf(() => claimedBy(enrolment('claimed'), 'd'))).toBe('yes');
  expect(codeOf(() => claimedBy(enrolment('claimed'), 'other'))).toBe('not-found');
  expect(codeOf(() => claimedBy(enrolment('open'), 'd'))).toBe('not-found');
  expect(codeOf(() => claimedBy(enrolment('cancelled'), 'd'))).toBe('enrolment-cancelled');
  expect(codeOf(() => claimedBy(enrolment('cancelled'), 'other'))).toBe('not-found');
});

test('what can be cancelled is offered so', () => {
  expect(allowedActions(enrolment('claimed'), NOW, MAY)).toEqual([
    { action: 'cancel', allowed: true, disabledReason: null },
  ]);
  expect(allowedActions(enrolment('completed'), NOW, MAY)[0]).toMatchObject({ allowed: false });
});

test('who may not cancel is told so', () => {
  expect(allowedActions(enrolment('claimed'), NOW, new Set())).toEqual([
    { action: 'cancel', allowed: false, disabledReason: 'Your role lacks the permission enrolments:cancel.' },
  ]);
});
