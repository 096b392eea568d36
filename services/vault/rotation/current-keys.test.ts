import { DomainError } from '@cardwright/protocol';
import { describe, expect, it } from 'vitest';
import { keyChanged, withCurrentKeys } from './current-keys.ts';

/** An operation that fails that many times. */
function failing(times: number, error: Error) {
  const calls: string[] = [];
  const handlers = withCurrentKeys(
    {
      act: async () => {
        calls.push('act');
        if (calls.filter((call) => call === 'act').length <= times) throw error;
        return 'done';
      },
    },
    async () => void calls.push('refresh'),
  );
  return { calls, act: () => handlers.act?.({}) };
}

describe('an operation that meets a KEK which was just replaced', () => {
  it('is done once more with the keys of now', async () => {
    const { calls, act } = failing(1, keyChanged());
    expect(await act()).toBe('done');
    expect(calls).toEqual(['act', 'refresh', 'act']);
  });

  it('is refused when that does not help', async () => {
    const { calls, act } = failing(2, keyChanged());
    await expect(act()).rejects.toMatchObject({ kind: 'unavailable', code: 'vault-key-encryption-key-changed' });
    expect(calls).toEqual(['act', 'refresh', 'act']);
  });

  it('and only such a one: other refusals are not repeated', async () => {
    const { calls, act } = failing(1, new DomainError('unavailable', 'vault-database-unavailable', 'away'));
    await expect(act()).rejects.toMatchObject({ code: 'vault-database-unavailable' });
    expect(calls).toEqual(['act']);
  });
});
