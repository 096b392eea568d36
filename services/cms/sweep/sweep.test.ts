import { DomainError } from '@cardwright/protocol';
import { expect, test } from 'vitest';
import type { Intent } from '../kernel/actor.ts';
import { type Remainder, type SweepDependencies, sweep } from './sweep.ts';

function setUp(complete: (id: string) => Promise<void>, more: Partial<SweepDependencies> = {}) {
  const asked: string[] = [];
  const intents: Intent[] = [];
  const errors: [string, string | null][] = [];
  const remainder: Remainder = {
    name: 'issuance',
    due: async () => ['a', 'b', 'c'],
    complete: async (intent, id) => {
      asked.push(id);
      intents.push(intent);
      await complete(id);
    },
  };
  let ids = 0;
  const deps: SweepDependencies = {
    remainders: [remainder],
    housekeeping: [],
    runtime: {
      now: () => new Date(0),
      newId: () => `request-${++ids}`,
      randomBytes: (length) => new Uint8Array(length),
    },
    onError: (_error, name, id) => errors.push([name, id]),
    stopping: () => false,
    ...more,
  };
  return { deps, asked, intents, errors };
}

test('completes what is due, as the system, each under a request id of its own', async () => {
  const { deps, asked, intents } = setUp(async () => undefined);
  expect(await sweep(deps)).toEqual({ issuance: 3 });
  expect(asked).toEqual(['a', 'b', 'c']);
  expect(intents.map((intent) => intent.actor.kind)).toEqual(['system', 'system', 'system']);
  expect(new Set(intents.map((intent) => intent.requestId)).size).toBe(3);
});

test('goes on after what fails for a reason of its own', async () => {
  const { deps, asked, errors } = setUp(async (id) => {
    if (id === 'a') throw new DomainError('unprocessable', 'csr-malformed', 'no');
  });
  expect(await sweep(deps)).toEqual({ issuance: 2 });
  expect(asked).toEqual(['a', 'b', 'c']);
  expect(errors).toEqual([['issuance', 'a']]);
});

test('leaves the rest of a kind for the next round when the other side is away, and does the other kinds', async () => {
  const { deps, asked, errors } = setUp(
    async () => {
      throw new DomainError('unavailable', 'ca-unavailable', 'away');
    },
    { housekeeping: [{ name: 'responses', sweep: async () => 4 }] },
  );
  expect(await sweep(deps)).toEqual({ responses: 4 });
  expect(asked).toEqual(['a']);
  expect(errors).toEqual([['issuance', 'a']]);
});

test('a database that is away ends no round with an exception', async () => {
  const { deps, errors } = setUp(async () => undefined);
  const away = { name: 'revocation', due: () => Promise.reject(new Error('gone')), complete: async () => undefined };
  const tidy = { name: 'keys', sweep: () => Promise.reject(new Error('gone')) };
  expect(await sweep({ ...deps, remainders: [away], housekeeping: [tidy] })).toEqual({});
  expect(errors).toEqual([
    ['revocation', null],
    ['keys', null],
  ]);
});

test('stops between two things when it is told to', async () => {
  let calls = 0;
  const { deps, asked } = setUp(async () => undefined, { stopping: () => calls++ > 0 });
  expect(await sweep(deps)).toEqual({ issuance: 1 });
  expect(asked).toEqual(['a']);
});
