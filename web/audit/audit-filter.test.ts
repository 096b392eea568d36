import { describe, expect, it } from 'vitest';
import { auditFilterOf } from './audit-filter.ts';

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
