import { DomainError } from '@cardwright/protocol';
import { describe, expect, it } from 'vitest';
import type { Context } from '../commands/command.ts';
import { exampleDocument } from '../store/fixture.ts';
import { DailyReports } from './daily.ts';
import type { Probes } from './probes.ts';

const HOUR = 60 * 60 * 1000;
const [known] = exampleDocument().servers;
if (known === undefined) throw new Error('a server is expected');
const where = { store: undefined, tpm: undefined };

const probes: Probes = {
  agentVersion: '0.1.0',
  machine: async () => ({ tcti: 'device:/dev/tpmrm0', node: null, kernelTpms: [], managed: true, user: 'mary' }),
  tpm: async () => ({ answers: false, code: 'tpm-unreachable', detail: 'No TPM answers.' }),
  store: () => ({
    directory: '/var/lib/cardwright',
    exists: true,
    problem: null,
    cards: 1,
    unfinished: 0,
    places: [],
    lockedBy: null,
    freeBytes: null,
    storageKeyName: null,
  }),
  server: async ({ url }) => ({ url, reached: true, clockAheadSeconds: 0 }),
};

/** A service's day, with a clock that is set. */
function day() {
  const state = { at: Date.parse('2026-11-20T09:00:00Z'), away: false, told: [] as string[] };
  const context = {
    now: () => new Date(state.at),
    probes,
    server: () => ({
      reportReadiness: async ({ checkedAt }: { checkedAt: string }) => {
        if (state.away) throw new DomainError('unavailable', 'server-unreachable', 'It is away.');
        state.told.push(checkedAt.slice(11, 16));
      },
    }),
  } as unknown as Context;
  const reports = new DailyReports();
  const after = (milliseconds: number) => {
    state.at += milliseconds;
    return reports.tellIfDue(context, where, known as NonNullable<typeof known>);
  };
  return { state, after };
}

describe('a service that runs for long', () => {
  it('tells of the device at its start and once a day', async () => {
    const { state, after } = day();
    expect(await after(0)).toEqual({ level: 'problem', problem: null });
    expect(await after(HOUR)).toBeUndefined();
    expect(await after(22 * HOUR)).toBeUndefined();
    expect(await after(HOUR)).toEqual({ level: 'problem', problem: null });
    expect(state.told).toEqual(['09:00', '09:00']);
  });

  it('tries again at the next contact where it could not be told, and after the clock was set back', async () => {
    const { state, after } = day();
    state.away = true;
    expect(await after(0)).toEqual({ level: 'problem', problem: 'server-unreachable' });
    state.away = false;
    expect(await after(HOUR)).toEqual({ level: 'problem', problem: null });
    expect(await after(-48 * HOUR)).toEqual({ level: 'problem', problem: null });
    expect(state.told).toHaveLength(2);
  });
});
