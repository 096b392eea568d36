import { describe, expect, it } from 'vitest';
import { CRL_SCHEDULES, type CrlState, dueCrls } from './schedule.ts';

const NOW = new Date('2026-03-01T12:00:00Z');
const ago = (seconds: number) => new Date(NOW.getTime() - seconds * 1000);
const HOUR = 3600;
const head = (number: bigint, changeCount: bigint, seconds: number) => ({
  number,
  changeCount,
  thisUpdate: ago(seconds),
  nextUpdate: ago(seconds - 24 * HOUR),
});
const state = (changes: Partial<CrlState> = {}): CrlState => ({
  changeCount: 10n,
  entryCount: 10,
  entryBytes: 400,
  number: 5n,
  full: head(5n, 10n, 60),
  delta: head(5n, 10n, 60),
  base: { number: 3n, changeCount: 4n, at: ago(HOUR) },
  ...changes,
});
const due = (changes: Partial<CrlState> = {}) => dueCrls(state(changes), CRL_SCHEDULES.issuing, NOW);
const NOTHING = { full: false, delta: false, rebase: false };

describe('what CRLs are due', () => {
  it('is none when all is covered and young', () => {
    expect(due()).toEqual(NOTHING);
  });

  it('is the full one first, which a delta then builds on', () => {
    const none = { full: null, delta: null, base: null, number: 0n };
    expect(due(none)).toEqual({ full: true, delta: false, rebase: true });
    expect(due({ delta: null })).toEqual({ full: false, delta: true, rebase: false });
  });

  it('is both after a change, on the same base', () => {
    expect(due({ changeCount: 11n })).toEqual({ full: true, delta: true, rebase: false });
  });

  it('is the delta at once and a long full one every 15 seconds', () => {
    const long = { changeCount: 11n, entryCount: 20_001 };
    expect(due({ ...long, full: head(5n, 10n, 14) })).toEqual({ full: false, delta: true, rebase: false });
    expect(due({ ...long, full: head(5n, 10n, 15) })).toEqual({ full: true, delta: true, rebase: false });
  });

  it('is a new base after half a day, or when the delta has grown too long', () => {
    const rebase = { full: true, delta: true, rebase: true };
    expect(due({ base: { number: 3n, changeCount: 4n, at: ago(12 * HOUR) } })).toEqual(rebase);
    expect(due({ changeCount: 5004n, full: head(5n, 5004n, 1), delta: head(5n, 5004n, 1) })).toEqual(NOTHING);
    expect(due({ changeCount: 5005n, full: head(5n, 5005n, 1), delta: head(5n, 5005n, 1) })).toEqual(rebase);
  });

  it('is the next one long before the last one ends', () => {
    expect(due({ full: head(5n, 10n, 12 * HOUR) })).toEqual({ full: true, delta: true, rebase: false });
    expect(due({ delta: head(5n, 10n, 3 * HOUR) })).toEqual({ full: false, delta: true, rebase: false });
  });

  it('is a new one when the clock was set back, for the last one comes from the future', () => {
    expect(due({ full: head(5n, 10n, -1) }).full).toBe(true);
    expect(due({ delta: head(5n, 10n, -1) }).delta).toBe(true);
    expect(due({ base: { number: 3n, changeCount: 4n, at: ago(-1) } }).rebase).toBe(true);
  });

  it('of an authority without deltas is never one', () => {
    const root = (changes: Partial<CrlState>) => dueCrls(state(changes), CRL_SCHEDULES.root, NOW);
    expect(root({ delta: null })).toEqual(NOTHING);
    expect(root({ delta: null, changeCount: 90_000n, entryCount: 3 })).toEqual({
      full: true,
      delta: false,
      rebase: false,
    });
  });
});
