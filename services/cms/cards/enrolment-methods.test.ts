import { expect, it } from 'vitest';
import { DEFAULT_ENROLMENT_RULES, ENROLMENT_METHODS, enrolmentRulesProblem } from './enrolment-methods.ts';

const problemOf = (rules: object) => enrolmentRulesProblem({ ...DEFAULT_ENROLMENT_RULES, ...rules })?.field;

it('what a profile that says nothing has makes sense, and so does everything at once', () => {
  expect(problemOf({})).toBeUndefined();
  expect(problemOf({ enrolmentMethods: ENROLMENT_METHODS, initialPin: 'supervised' })).toBeUndefined();
  expect(problemOf({ enrolmentMethods: ['pre-provisioned'], initialPin: 'handed-over' })).toBeUndefined();
});

it('no method, or one twice, makes none', () => {
  expect(problemOf({ enrolmentMethods: [] })).toBe('enrolmentMethods');
  expect(problemOf({ enrolmentMethods: ['code', 'code'] })).toBe('enrolmentMethods');
});

it('who prepares a device for somebody else never chooses the PIN', () => {
  expect(problemOf({ enrolmentMethods: ['code', 'pre-provisioned'] })).toBe('initialPin');
});
