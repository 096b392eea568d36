import { describe, expect, it } from 'vitest';
import { faultPoints, noFaults, withFaults } from './faults.ts';

class Died extends Error {}
const die = () => {
  throw new Died();
};
const passed = (at: string | undefined, names: string[]) => {
  const point = faultPoints({ at, trace: undefined, die });
  const done: string[] = [];
  try {
    for (const name of names) {
      point(name);
      done.push(name);
    }
  } catch (error) {
    if (!(error instanceof Died)) throw error;
  }
  return done.length;
};

describe('fault points', () => {
  it('are off unless asked for', () => {
    expect(faultPoints({ at: undefined, trace: undefined, die })).toBe(noFaults);
    const port = { act: () => 1 };
    expect(withFaults(port, 'port', noFaults)).toBe(port);
  });

  it('end the process at the n-th point, or at a name, or at its n-th time', () => {
    const names = ['a', 'b', 'a', 'c', 'a'];
    expect(passed('2', names)).toBe(1);
    expect(passed('c', names)).toBe(3);
    expect(passed('a#3', names)).toBe(4);
    expect(passed('99', names)).toBe(5);
  });

  it('stand before and after each call, also of what a call gives back', async () => {
    const seen: string[] = [];
    const port = { challenge: async () => ({ nonce: 1, finish: async (x: number) => x * 2 }), now: () => 3 };
    const point = faultPoints({ at: undefined, trace: (name) => seen.push(name), die });
    const wrapped = withFaults(port, 'card', point);
    const challenge = await wrapped.challenge();
    expect(challenge.nonce).toBe(1);
    expect(await challenge.finish(21)).toBe(42);
    expect(wrapped.now()).toBe(3);
    expect(seen).toEqual([
      'card.challenge.before',
      'card.challenge.after',
      'card.challenge.finish.before',
      'card.challenge.finish.after',
      'card.now.before',
      'card.now.after',
    ]);
  });

  it('work with classes that have private fields', async () => {
    class Port {
      #secret = 7;
      async act() {
        return this.#secret;
      }
    }
    const point = faultPoints({ at: 'port.act.after', trace: undefined, die });
    await expect(withFaults(new Port(), 'port', point).act()).rejects.toBeInstanceOf(Died);
    await expect(withFaults(new Port(), 'port', point, []).act()).resolves.toBe(7);
  });
});
