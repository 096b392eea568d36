import { describe, expect, it } from 'vitest';
import { spanText } from '../spans.ts';
import type { Facts, MachineFacts, StoreFacts, TpmFacts } from './facts.ts';
import { worstOf } from './finding.ts';
import { findingsOf } from './findings.ts';
import { reportFor } from './report.ts';

const NAME = `000b${'ab'.repeat(32)}`;

const tpm: TpmFacts = {
  manufacturer: 'IFX',
  firmware: '7.85.4555.0',
  revision: '1.59',
  ownerPasswordSet: false,
  hierarchies: { storage: true, endorsement: true },
  lockout: {
    locked: false,
    passwordSet: false,
    wrongTries: 0,
    maxTries: 32,
    forgivenAfterSeconds: 600,
    passwordPauseSeconds: 86_400,
  },
  pinIndex: 'works',
  leftOverRemoved: false,
  roomForKeys: 7,
  nvIndexes: 4,
  cardPlaces: [0x01800000],
  storageKey: { persistent: 'yes', name: NAME, stopsWhenLocked: false },
  endorsementCertificates: [0x01c00002],
  missingCommands: [],
  curves: { p256: true, p384: true },
};
const machine: MachineFacts = {
  tcti: 'device:/dev/tpmrm0',
  node: { path: '/dev/tpmrm0', exists: true, mayOpen: true, group: 'tss' },
  kernelTpms: [{ name: 'tpm0', family: '2' }],
  managed: true,
  user: 'mary',
};
const store: StoreFacts = {
  directory: '/var/lib/cardwright',
  exists: true,
  problem: null,
  cards: 1,
  unfinished: 0,
  places: [0x01800000],
  lockedBy: null,
  freeBytes: 10 ** 9,
  storageKeyName: NAME,
};
const url = 'https://cards.example.org';
const healthy: Facts = {
  checkedAt: new Date('2026-11-20T09:00:00Z'),
  machine,
  tpm: { answers: true, facts: tpm },
  store,
  servers: [{ url, reached: true, clockAheadSeconds: 1 }],
};

const withTpm = (change: Partial<TpmFacts>): Facts => ({
  ...healthy,
  tpm: { answers: true, facts: { ...tpm, ...change } },
});
const withMachine = (change: Partial<MachineFacts>): Facts => ({ ...healthy, machine: { ...machine, ...change } });
const withStore = (change: Partial<StoreFacts>): Facts => ({ ...healthy, store: { ...store, ...change } });
const node = { path: '/dev/tpmrm0', exists: false, mayOpen: false, group: null };
const gone = { answers: false, code: 'tpm-unreachable', detail: 'No TPM answers.' } as const;

describe('what facts mean', () => {
  it('a healthy device has nothing to do', () => {
    const findings = findingsOf(healthy);
    expect(worstOf(findings)).toBe('ok');
    expect(findings.every(({ advice }) => advice === null)).toBe(true);
    expect(new Set(findings.map(({ check }) => check)).size).toBe(findings.length);
  });

  it.each<[string, Facts, 'warning' | 'problem', RegExp]>([
    ['access', { ...withMachine({ node, kernelTpms: [] }), tpm: gone }, 'problem', /knows no TPM/],
    [
      'access',
      { ...withMachine({ node, kernelTpms: [{ name: 'tpm0', family: '1' }] }), tpm: gone },
      'problem',
      /TPM 1\.2/,
    ],
    ['access', { ...withMachine({ node }), tpm: gone }, 'problem', /\/dev\/tpmrm0 is not there/],
    [
      'access',
      { ...withMachine({ node: { ...node, exists: true, group: 'tss' } }), tpm: gone },
      'problem',
      /may not be opened by user mary/,
    ],
    ['tpm', { ...healthy, tpm: { ...gone, code: 'tpm-failed', detail: 'failure mode' } }, 'problem', /failure mode/],
    ['resource-manager', withMachine({ managed: false, node: null, tcti: 'swtpm:port=1' }), 'warning', /one program/],
    ['functions', withTpm({ hierarchies: { storage: false, endorsement: true } }), 'problem', /storage hierarchy/],
    ['functions', withTpm({ hierarchies: { storage: true, endorsement: false } }), 'problem', /endorsement hierarchy/],
    ['functions', withTpm({ missingCommands: ['PolicyAuthorize'] }), 'problem', /PolicyAuthorize/],
    ['functions', withTpm({ curves: { p256: false, p384: true } }), 'problem', /P-256/],
    ['pin-index', withTpm({ pinIndex: 'unsupported', revision: '1.16' }), 'problem', /1\.16/],
    ['pin-index', withTpm({ pinIndex: { refused: 'odd' } }), 'problem', /odd/],
    ['pin-index', withTpm({ pinIndex: 'owner-password' }), 'warning', /Not tried/],
    ['nv-space', withTpm({ pinIndex: 'no-room' }), 'problem', /no room/],
    ['owner-password', withTpm({ ownerPasswordSet: true }), 'problem', /password/],
    [
      'lockout',
      withTpm({ lockout: { ...tpm.lockout, locked: true, wrongTries: 32 } }),
      'warning',
      /at most 10 minutes/,
    ],
    [
      'lockout',
      withTpm({ lockout: { ...tpm.lockout, locked: true, wrongTries: 32, forgivenAfterSeconds: 0 } }),
      'warning',
      /until it is reset/,
    ],
    [
      'storage-key',
      withTpm({ storageKey: { persistent: 'no', name: null, stopsWhenLocked: false } }),
      'warning',
      /could be made/,
    ],
    [
      'storage-key',
      withTpm({ storageKey: { persistent: 'yes', name: NAME, stopsWhenLocked: true } }),
      'warning',
      /noDA/,
    ],
    ['endorsement-certificate', withTpm({ endorsementCertificates: [] }), 'warning', /no certificate/],
    ['store', withStore({ problem: { code: 'store-damaged', detail: 'It is not JSON.' } }), 'problem', /not JSON/],
    ['enrolments', withStore({ unfinished: 2 }), 'warning', /2 enrolments not finished/],
    ['store-lock', withStore({ lockedBy: 4711 }), 'warning', /process 4711/],
    ['left-over-cards', withStore({ places: [] }), 'warning', /no card in .* owns: 0x01800000\./],
    ['disk', withStore({ freeBytes: 5 * 1024 * 1024 }), 'problem', /5 MB/],
    ['store-device', withStore({ storageKeyName: `000b${'cd'.repeat(32)}` }), 'problem', /another TPM/],
    [
      'server',
      { ...healthy, servers: [{ url, reached: false, code: 'server-timeout', detail: 'No answer.' }] },
      'warning',
      /No answer/,
    ],
    [
      'server',
      { ...healthy, servers: [{ url, reached: false, code: 'server-certificate-changed', detail: 'Another CA.' }] },
      'problem',
      /Another CA/,
    ],
    ['clock', { ...healthy, servers: [{ url, reached: true, clockAheadSeconds: 90 }] }, 'warning', /90 seconds ahead/],
    ['clock', { ...healthy, servers: [{ url, reached: true, clockAheadSeconds: -7200 }] }, 'problem', /2 hours behind/],
  ])('%s: %#', (check, facts, level, message) => {
    const findings = findingsOf(facts);
    const bad = findings.filter((finding) => finding.level !== 'ok');
    expect(bad).toHaveLength(1);
    expect(bad[0]).toMatchObject({ check, level, message: expect.stringMatching(message) });
    expect(bad[0]?.advice?.length).toBeGreaterThan(3);
    expect(worstOf(findings)).toBe(level);
  });

  it('a store that is not there yet, or belongs to nothing yet, is no harm', () => {
    expect(worstOf(findingsOf(withStore({ exists: false, cards: 0, storageKeyName: null })))).toBe('ok');
    expect(worstOf(findingsOf(withStore({ cards: 0, storageKeyName: null })))).toBe('ok');
  });
});

describe('a report', () => {
  it('tells a server nothing of other servers, and no fact that it has no use for', () => {
    const other = 'https://other.example.net';
    const facts: Facts = {
      ...healthy,
      servers: [
        ...healthy.servers,
        { url: other, reached: false, code: 'server-timeout', detail: `${other} is away.` },
      ],
    };
    const report = reportFor(url, '0.1.0', { facts, findings: findingsOf(facts) });
    expect(report).toMatchObject({
      agentVersion: '0.1.0',
      checkedAt: '2026-11-20T09:00:00.000Z',
      tpm: { manufacturer: 'IFX' },
    });
    expect(report.findings.map(({ check }) => check)).toContain('clock');
    expect(JSON.stringify(report)).not.toContain('other.example.net');
    expect(JSON.stringify(report)).not.toContain(NAME);
  });

  it('is bounded, however long a refusal is', () => {
    const facts = withTpm({ pinIndex: { refused: 'x'.repeat(5000) } });
    const report = reportFor(url, '0.1.0', { facts, findings: findingsOf(facts) });
    expect(Math.max(...report.findings.map(({ message }) => message.length))).toBe(500);
  });
});

it.each([
  [1, '1 second'],
  [59, '59 seconds'],
  [60, '1 minute'],
  [119, '119 seconds'],
  [600, '10 minutes'],
  [3600, '1 hour'],
  [7201, '3 hours'],
  [86_400, '1 day'],
  [1_000_000, '12 days'],
])('%i seconds are %s', (seconds, text) => {
  expect(spanText(seconds)).toBe(text);
});
