import { TPM_CC } from '@cardwright/protocol/tpm';
import { expect, test } from 'vitest';
import { isRefusal, mayRetry, RC, TpmRefusal } from './response-code.ts';

test.each([
  [0x9a2, 'tpm-refused', 'PolicySecret: 0x9a2 BAD_AUTH, session 1', RC.BAD_AUTH],
  [0x5db, 'tpm-refused', 'PolicySecret: 0x5db SIGNATURE, parameter 5', RC.SIGNATURE],
  [0x4e3, 'tpm-refused', 'PolicySecret: 0x4e3 EXPIRED, parameter 4', RC.EXPIRED],
  [0x99d, 'tpm-refused', 'PolicySecret: 0x99d POLICY_FAIL, session 1', RC.POLICY_FAIL],
  [0x1c4, 'tpm-refused', 'PolicySecret: 0x1c4 VALUE, parameter 1', RC.VALUE],
  [0x18b, 'tpm-refused', 'PolicySecret: 0x18b HANDLE, handle 1', RC.HANDLE],
  [0x12f, 'tpm-refused', 'PolicySecret: 0x12f AUTH_UNAVAILABLE', RC.AUTH_UNAVAILABLE],
  [0x100, 'tpm-not-started', 'PolicySecret: 0x100 INITIALIZE', RC.INITIALIZE],
  [0x101, 'tpm-failed', 'PolicySecret: 0x101 FAILURE', RC.FAILURE],
  [0x902, 'tpm-busy', 'PolicySecret: 0x902 OBJECT_MEMORY', RC.OBJECT_MEMORY],
  [0x903, 'tpm-busy', 'PolicySecret: 0x903 SESSION_MEMORY', RC.SESSION_MEMORY],
  [0x919, 'tpm-session-lost', 'PolicySecret: 0x919 REFERENCE_S0', RC.REFERENCE_S0],
  [0x98b, 'tpm-session-lost', 'PolicySecret: 0x98b REFERENCE_S0, session 1', RC.REFERENCE_S0],
  [0x911, 'tpm-session-lost', 'PolicySecret: 0x911 REFERENCE_H0', RC.REFERENCE_H0],
  [0x921, 'tpm-locked-out', 'PolicySecret: 0x921 LOCKOUT', RC.LOCKOUT],
  [0x922, 'tpm-busy', 'PolicySecret: 0x922 RETRY', RC.RETRY],
  [0x923, 'tpm-busy', 'PolicySecret: 0x923 NV_UNAVAILABLE', RC.NV_UNAVAILABLE],
])('response code %i is %s', (rc, code, tail, base) => {
  const refusal = new TpmRefusal(rc, TPM_CC.PolicySecret);
  expect(refusal.code).toBe(code);
  expect(refusal.detail).toContain(`(${tail})`);
  expect(refusal.data).toEqual({ rc, command: 'PolicySecret' });
  expect(isRefusal(refusal, base)).toBe(true);
  expect(isRefusal(refusal, 0x7ff)).toBe(false);
});

test('only what was not done is sent again', () => {
  const again = [0x908, 0x90a, 0x920, 0x922, 0x923];
  const never = [0x000, 0x9a2, 0x12f, 0x902, 0x903, 0x921, 0x101];
  expect([...again, ...never].filter(mayRetry)).toEqual(again);
});
