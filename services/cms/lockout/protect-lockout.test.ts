import { expect, it } from 'vitest';
import type { LockoutDependencies } from './ports.ts';
import { protectLockout } from './protect-lockout.ts';

it('is refused where the organisation leaves the lockout alone, before anything is asked or written', async () => {
  // What was used of these would not be there.
  const deps = { lockoutRules: null } as LockoutDependencies;
  const actor = { kind: 'device', id: '0199f2a0-2222-7000-8000-000000000002', name: 'lap-0421' } as const;
  await expect(protectLockout(deps, { actor, requestId: 'r' }, new Uint8Array())).rejects.toMatchObject({
    kind: 'conflict',
    code: 'lockout-not-managed',
  });
});
