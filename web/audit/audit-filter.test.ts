import { describe, expect, it } from 'vitest';
import { auditFilterOf, fromLocalInput, toLocalInput } from './audit-filter.ts';

describe('the filters in the address', () => {
  it('are taken when they are known and not empty', () => {
    expect(auditFilterOf({ personId: ' p ', outcome: 'refused', from: '', nonsense: 'x', action: 7 })).toEqual({
      personId: 'p',
      outcome: 'refused',
    });
  });

  it('are left out when they are absurd', () => {
    expect(auditFilterOf({ outcome: 'maybe', action: 'x'.repeat(201) })).toEqual({});
  });
});

describe('times of the filters', () => {
  it('come back as they were, to the minute', () => {
    const iso = '2026-03-01T10:20:00.000Z';
    expect(fromLocalInput(toLocalInput(iso))).toBe(iso);
  });

  it('that are none are left out', () => {
    expect(toLocalInput(undefined)).toBe('');
    expect(toLocalInput('yesterday')).toBe('');
    expect(fromLocalInput('')).toBeUndefined();
  });
});
