import { expect, test } from 'vitest';
import { after, allowedActions, assertRevocable, type CertificateAct, shownStatus } from './certificate.ts';

const MAY = new Set(['certificates:revoke'] as const);
const NOW = new Date('2026-11-20T09:00:00Z');

test('the whole life of a record', () => {
  const acts: CertificateAct[] = ['issue', 'fail', 'retry', 'revoke', 'hold', 'release'];
  const row = (status: Parameters<typeof after>[1]) => acts.map((act) => after(act, status) ?? '-');
  expect(row('proposed')).toEqual(['active', 'failed', '-', '-', '-', '-']);
  expect(row('failed')).toEqual(['active', '-', 'proposed', '-', '-', '-']);
  expect(row('active')).toEqual(['-', '-', '-', 'revoked', 'on-hold', '-']);
  expect(row('on-hold')).toEqual(['-', '-', '-', 'revoked', '-', 'active']);
  expect(row('revoked')).toEqual(['-', '-', '-', '-', '-', '-']);
});

test('an active certificate expires by itself, a revoked one stays revoked', () => {
  expect(shownStatus({ status: 'active', notAfter: NOW }, NOW)).toBe('expired');
  expect(shownStatus({ status: 'active', notAfter: new Date(NOW.getTime() + 1) }, NOW)).toBe('active');
  expect(shownStatus({ status: 'revoked', notAfter: NOW }, NOW)).toBe('revoked');
  expect(shownStatus({ status: 'on-hold', notAfter: NOW }, NOW)).toBe('expired');
});

test('only what is active or on hold can be revoked, and once', () => {
  for (const status of ['proposed', 'failed', 'revoked', 'expired'] as const) {
    expect(() => assertRevocable(status)).toThrow(expect.objectContaining({ code: 'certificate-not-active' }));
    expect(allowedActions(status, false, MAY)[0]?.allowed).toBe(false);
  }
  expect(() => assertRevocable('active')).not.toThrow();
  expect(() => assertRevocable('on-hold')).not.toThrow();
  const allowed = (...of: [Parameters<typeof allowedActions>[0], boolean, ('hold' | 'release')?]) =>
    allowedActions(of[0], of[1], MAY, of[2] ?? null).flatMap((one) => (one.allowed ? [one.action] : []));
  expect(allowed('active', false)).toEqual(['revoke', 'hold']);
  expect(allowed('on-hold', false)).toEqual(['revoke', 'release']);
  expect(allowed('active', false, 'hold')).toEqual(['revoke']);
  expect(allowed('on-hold', false, 'release')).toEqual(['revoke']);
  expect(allowed('active', true)).toEqual([]);
  expect(allowed('on-hold', true)).toEqual([]);
});

test('who may not revoke is told so, whatever the state', () => {
  const reason = 'Your role lacks the permission certificates:revoke.';
  for (const status of ['active', 'expired'] as const) {
    expect(allowedActions(status, false, new Set(['certificates:read']))).toEqual(
      ['revoke', 'hold', 'release'].map((action) => ({ action, allowed: false, disabledReason: reason })),
    );
  }
});
