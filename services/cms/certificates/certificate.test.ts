import { expect, test } from 'vitest';
import { after, allowedActions, assertRevocable, type CertificateAct, shownStatus } from './certificate.ts';

const MAY = new Set(['certificates:revoke'] as const);
const NOW = new Date('2026-11-20T09:00:00Z');

test('the whole life of a record', () => {
  const acts: CertificateAct[] = ['issue', 'fail', 'retry', 'revoke'];
  const row = (status: Parameters<typeof after>[1]) => acts.map((act) => after(act, status) ?? '-');
  expect(row('proposed')).toEqual(['active', 'failed', '-', '-']);
  expect(row('failed')).toEqual(['active', '-', 'proposed', '-']);
  expect(row('active')).toEqual(['-', '-', '-', 'revoked']);
  expect(row('revoked')).toEqual(['-', '-', '-', '-']);
});

test('an active certificate expires by itself, a revoked one stays revoked', () => {
  expect(shownStatus({ status: 'active', notAfter: NOW }, NOW)).toBe('expired');
  expect(shownStatus({ status: 'active', notAfter: new Date(NOW.getTime() + 1) }, NOW)).toBe('active');
  expect(shownStatus({ status: 'revoked', notAfter: NOW }, NOW)).toBe('revoked');
});

test('only what is active can be revoked, and once', () => {
  for (const status of ['proposed', 'failed', 'revoked', 'expired'] as const) {
    expect(() => assertRevocable(status)).toThrow(expect.objectContaining({ code: 'certificate-not-active' }));
    expect(allowedActions(status, false, MAY)[0]?.allowed).toBe(false);
  }
  expect(() => assertRevocable('active')).not.toThrow();
  expect(allowedActions('active', false, MAY)[0]?.allowed).toBe(true);
  expect(allowedActions('active', true, MAY)[0]?.allowed).toBe(false);
});

test('who may not revoke is told so, whatever the state', () => {
  const reason = 'Your role lacks the permission certificates:revoke.';
  for (const status of ['active', 'expired'] as const) {
    expect(allowedActions(status, false, new Set(['certificates:read']))).toEqual([
      { action: 'revoke', allowed: false, disabledReason: reason },
    ]);
  }
});
