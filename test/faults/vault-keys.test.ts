import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type KeyedVault, keyedVault, moveDiesAt, pointsOf, rotationDiesAt } from '../support/vault-keys-faults.ts';

/**
 * kill -9 at every step of a KEK rotation and of a move to another provider that another process could see.
 * CARDWRIGHT_FAULTS=whole kills at all of them; `npm test` at the sample. After each, while a vault serves all the time:
 * every key opens and answers right, at once and after the same command was repeated; nothing is left half done.
 */
const whole = process.env.CARDWRIGHT_FAULTS === 'whole';
const FEWEST_POINTS = 20;

function printed(title: string, points: readonly string[]): string {
  const rows = points.map((name, at) => `  ${String(at + 1).padStart(3)}  ${name.padEnd(36)} every key answers`);
  return `${title}: killed at ${points.length} points\n${rows.join('\n')}`;
}

const distinct = (points: readonly string[], wanted: readonly string[]) =>
  wanted.map((name) => {
    const at = points.indexOf(name);
    if (at < 0) throw new Error(`there is no point ${name} any more: ${points.join(', ')}`);
    return String(at + 1);
  });

describe('a rotation of the key-encryption key survives kill -9', () => {
  let keyed: KeyedVault;
  beforeAll(async () => {
    keyed = await keyedVault();
  }, 60_000);
  afterAll(() => keyed?.remove());

  it(`at ${whole ? 'every point' : 'some points'}`, { timeout: 600_000 }, async () => {
    const points = await pointsOf(keyed, ['rotate-kek']);
    expect(points.length).toBeGreaterThanOrEqual(FEWEST_POINTS);
    const sample = ['file.addKek.after', 'administrator_keys.replace.after', 'keks.retire.after'];
    const chosen = whole ? points.map((_, at) => String(at + 1)) : distinct(points, sample);
    for (const at of chosen) await rotationDiesAt(keyed, at);
    console.log(printed('rotate-kek', whole ? points : sample));
  });
});

describe('a move from the keys file to a token survives kill -9', () => {
  it(`at ${whole ? 'every point' : 'some points'}`, { timeout: 900_000 }, async () => {
    const first = await keyedVault();
    const points = await pointsOf(first, ['move-provider', '--to', 'pkcs11']);
    await first.remove();
    expect(points.length).toBeGreaterThanOrEqual(FEWEST_POINTS);
    const sample = ['pkcs11.addMaster.after', 'keks.activate.after'];
    const chosen = whole ? points.map((_, at) => String(at + 1)) : distinct(points, sample);
    for (const at of chosen) {
      const keyed = await keyedVault();
      try {
        await moveDiesAt(keyed, at);
      } finally {
        await keyed.remove();
      }
    }
    console.log(printed('move-provider --to pkcs11', whole ? points : sample));
  });
});
