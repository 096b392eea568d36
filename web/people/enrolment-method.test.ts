import { expect, test } from 'vitest';
import { NO_METHOD, saidMethod, type TypedMethod } from './enrolment-method.ts';

const rules = (methods: ('code' | 'on-behalf' | 'pre-provisioned')[], initialPin: 'holder' | 'handed-over') => ({
  enrolmentMethods: methods,
  initialPin,
});
const vouched: TypedMethod = { method: 'on-behalf', verified: 'in-person', evidence: ' Badge ' };
const verification = { method: 'in-person', evidence: 'Badge' };

test('nobody vouches for who enrols by a code', () => {
  expect(saidMethod(rules(['code', 'on-behalf'], 'holder'), NO_METHOD)).toEqual({ method: 'code' });
  expect(saidMethod(rules(['code'], 'holder'), vouched)).toEqual({ method: 'code' });
});

test('who vouches says how the person was verified', () => {
  expect(saidMethod(rules(['code', 'on-behalf'], 'holder'), vouched)).toEqual({ method: 'on-behalf', verification });
  expect(saidMethod(rules(['on-behalf'], 'holder'), NO_METHOD)).toBeNull();
  expect(saidMethod(rules(['on-behalf'], 'holder'), { ...vouched, evidence: ' ' })).toBeNull();
});

test('who hands a PIN over has verified the person', () => {
  const handed = rules(['pre-provisioned'], 'handed-over');
  expect(saidMethod(handed, NO_METHOD)).toBeNull();
  expect(saidMethod(handed, { ...vouched, method: null })).toEqual({ method: 'pre-provisioned', verification });
});

test('of a profile that is not known the server chooses', () => {
  expect(saidMethod(undefined, NO_METHOD)).toEqual({});
});
