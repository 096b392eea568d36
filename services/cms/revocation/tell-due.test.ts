import { DomainError } from '@cardwright/protocol';
import { expect, test } from 'vitest';
import type { Due } from './ports.ts';
import { type TellDueDependencies, tellDue } from './tell-due.ts';

const NOW = new Date('2026-11-20T09:00:00Z');
const away = () => new DomainError('unavailable', 'ca-unavailable', 'The CA does not answer.');
const dueOf = (authority: string, count: number, attempts = 0): Due[] =>
  Array.from({ length: count }, (_, n) => ({
    what: n % 2 === 0 ? 'revocation' : 'hold',
    certificateId: `${authority}-${n}`,
    authority,
    attempts,
  }));

function setUp(due: readonly Due[], answer: (certificateId: string) => Promise<void>) {
  const asked: string[] = [];
  const calls: string[] = [];
  const confirm = async (_intent: unknown, certificateId: string) => {
    asked.push(certificateId);
    await answer(certificateId);
  };
  const deps: TellDueDependencies = {
    revocations: { confirm },
    holdService: { confirm },
    queue: {
      due: async () => [...due],
      defer: async (name, now, until) => {
        calls.push(`${name} waits ${(until.getTime() - now.getTime()) / 1000} s`);
      },
      hasten: async (name) => {
        calls.push(`${name} is back`);
      },
      list: async () => [],
    },
    runtime: { now: () => NOW, newId: () => 'request', randomBytes: (length) => new Uint8Array(length) },
    onUnconfirmed: () => undefined,
  };
  return { deps, asked, calls };
}

test('a CA that is away is asked once, and holds up no other', async () => {
  const due = [...dueOf('dead', 50, 3), ...dueOf('alive', 50)];
  const { deps, asked, calls } = setUp(due, async (id) => {
    if (id.startsWith('dead')) throw away();
  });
  expect(await tellDue(deps)).toBe(50);
  expect(asked.filter((id) => id.startsWith('dead'))).toEqual(['dead-0']);
  expect(new Set(asked.filter((id) => id.startsWith('alive'))).size).toBe(50);
  // The fourth time in vain: not every few seconds, whichever of them is the first.
  expect(calls.sort()).toEqual(['alive is back', 'dead waits 40 s']);
});

test('a CA that never answers holds up no other', async () => {
  let release = () => undefined as unknown;
  const stuck = new Promise<void>((resolve) => {
    release = () => resolve();
  });
  const { deps, asked } = setUp([...dueOf('slow', 1), ...dueOf('alive', 20)], (id) =>
    id.startsWith('slow') ? stuck : Promise.resolve(),
  );
  const round = tellDue(deps);
  await expect.poll(() => asked.length).toBe(21);
  release();
  expect(await round).toBe(21);
});

test('a refusal is of one certificate alone', async () => {
  const { deps, asked, calls } = setUp(dueOf('ca', 10), async (id) => {
    if (id === 'ca-0') throw new DomainError('not-found', 'certificate-unknown', 'Not one of ours.');
  });
  expect(await tellDue(deps)).toBe(9);
  expect(asked).toHaveLength(10);
  expect(calls).toEqual(['ca is back']);
});

test('nothing due is nothing asked', async () => {
  const { deps, calls } = setUp([], async () => undefined);
  expect(await tellDue(deps)).toBe(0);
  expect(calls).toEqual([]);
});
