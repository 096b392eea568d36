import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { CARD_NV_LAST } from '@cardwright/protocol/tpm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { handlesInUse, openTpm, type Tpm } from '../tpm/index.ts';
import { openWatched } from '../tpm/testing/cut-off.socket.ts';
import { type SoftwareTpm, startSoftwareTpm } from '../tpm/testing/software-tpm.process.ts';
import { timedOut } from '../tpm/transport-errors.ts';
import type { MachineFacts, TpmAnswer, TpmFacts } from './facts.ts';
import type { Finding } from './finding.ts';
import { tpmFindings } from './tpm-findings.ts';
import { askTpm, probeTpm } from './tpm-probe.ts';

const LAST_PLACES = [CARD_NV_LAST - 3, CARD_NV_LAST] as const;

let software: SoftwareTpm;
beforeEach(async () => {
  software = await startSoftwareTpm();
});
afterEach(() => software.stop());

const machine = (tcti: string): MachineFacts => ({ tcti, node: null, kernelTpms: [], managed: false, user: 'mary' });
const ask = (): Promise<TpmAnswer> => askTpm(() => openTpm(software.tcti));

async function facts(): Promise<TpmFacts> {
  const answer = await ask();
  if (!answer.answers) throw new Error(answer.code);
  return answer.facts;
}

async function finding(check: string): Promise<Finding | undefined> {
  return tpmFindings({ tpm: await ask(), machine: machine(software.tcti) }).find((each) => each.check === check);
}

async function trialsIn(tcti: string): Promise<number[]> {
  const tpm = await openTpm(tcti);
  try {
    return await handlesInUse(tpm, ...LAST_PLACES);
  } finally {
    await tpm.close();
  }
}

describe('a TPM that is examined', () => {
  it('is found healthy, and is as it was before', async () => {
    const before = await software.tool('tpm2_getcap', 'handles-nv-index');
    expect(await facts()).toMatchObject({
      ownerPasswordSet: false,
      hierarchies: { storage: true, endorsement: true },
      lockout: { locked: false, passwordSet: false, wrongTries: 0 },
      pinIndex: 'works',
      leftOverRemoved: false,
      storageKey: { persistent: 'no', name: expect.stringMatching(/^000b[0-9a-f]{64}$/) },
      missingCommands: [],
      curves: { p256: true, p384: true },
    });
    expect(await software.tool('tpm2_getcap', 'handles-nv-index')).toBe(before);
    expect((await software.tool('tpm2_getcap', 'handles-transient')).trim()).toBe('');
    expect((await software.tool('tpm2_getcap', 'handles-loaded-session')).trim()).toBe('');
    const levels = tpmFindings({ tpm: await ask(), machine: machine(software.tcti) }).map(({ check, level }) => [
      check,
      level,
    ]);
    expect(levels).toEqual([
      ['tpm', 'ok'],
      ['functions', 'ok'],
      ['pin-index', 'ok'],
      ['nv-space', 'ok'],
      ['owner-password', 'ok'],
      ['lockout', 'ok'],
      ['storage-key', 'ok'],
      ['endorsement-certificate', 'warning'],
    ]);
  });

  it('shows a persistent storage key and a certificate of its maker', async () => {
    await software.tool('tpm2_createprimary', '-C', 'o', '-G', 'ecc', '-c', 'srk.ctx');
    await software.tool('tpm2_evictcontrol', '-C', 'o', '-c', 'srk.ctx', '0x81000001');
    await software.tool('tpm2_flushcontext', '-t');
    await software.tool('tpm2_nvdefine', '-C', 'o', '-s', '16', '0x1c00002');
    const found = await facts();
    expect(found.storageKey).toMatchObject({ persistent: 'yes', stopsWhenLocked: true });
    expect(found.endorsementCertificates).toEqual([0x01c00002]);
  });

  it('with an owner password says so, whoever set it, and leaves its lockout counter alone', async () => {
    await software.tool('tpm2_changeauth', '-c', 'owner', 'secret');
    expect(await facts()).toMatchObject({
      ownerPasswordSet: true,
      pinIndex: 'owner-password',
      storageKey: { name: null },
      lockout: { wrongTries: 0 },
    });
    expect(await finding('owner-password')).toMatchObject({ level: 'problem' });
    expect(await finding('pin-index')).toMatchObject({ level: 'warning' });
  });

  it('in lockout after wrong tries says for how long, and that cards work on', async () => {
    await software.tool('tpm2_dictionarylockout', '-s', '-n', '3', '-t', '600', '-l', '86400');
    await software.tool('tpm2_nvdefine', '-C', 'o', '-s', '8', '-p', 'right', '-a', 'authread|authwrite', '0x1500001');
    for (let wrong = 0; wrong < 4; wrong++) {
      await expect(software.tool('tpm2_nvread', '-C', '0x1500001', '-P', 'wrong', '0x1500001')).rejects.toThrow();
    }
    const found = await facts();
    expect(found.lockout).toMatchObject({ locked: true, wrongTries: 3, maxTries: 3, forgivenAfterSeconds: 600 });
    expect(found.pinIndex).toBe('works');
    const said = await finding('lockout');
    expect(said).toMatchObject({ level: 'warning' });
    expect(said?.message).toContain('locked for at most 10 minutes: 3 of 3 wrong tries');
    await software.tool('tpm2_dictionarylockout', '--clear-lockout');
    expect((await facts()).lockout.locked).toBe(false);
  });

  it('without room says so, and counts what stands there', async () => {
    // Large ones first, then small ones where no large one fits any more.
    let index = 0x1500000;
    for (const size of ['2048', '64']) {
      const define = () => software.tool('tpm2_nvdefine', '-C', 'o', '-s', size, `0x${(++index).toString(16)}`);
      while (
        await define().then(
          () => true,
          () => false,
        )
      )
        expect(index).toBeLessThan(0x1500100);
    }
    const found = await facts();
    expect(found.pinIndex).toBe('no-room');
    expect(await finding('nv-space')).toMatchObject({ level: 'problem' });
    expect(await finding('pin-index')).toMatchObject({ level: 'ok' });
  });
});

describe('a trial that is cut off', () => {
  it('between any two commands is cleared away by the next doctor', async () => {
    const whole = await openWatched(software.tcti);
    await probeTpm(whole.tpm);
    const commands = whole.sent.length;
    await whole.tpm.close();
    let left = 0;
    for (const when of ['before', 'after'] as const) {
      // The last one gives a place back, and is let be if the TPM is gone.
      for (let cut = 0; cut < commands - 1; cut++) {
        const watched = await openWatched(software.tcti);
        watched.cutAfter(cut, when);
        await expect(probeTpm(watched.tpm)).rejects.toMatchObject({ code: 'tpm-unreachable' });
        await watched.tpm.close();
        const leftOver = (await trialsIn(software.tcti)).length > 0;
        if (leftOver) left++;
        expect((await facts()).leftOverRemoved).toBe(leftOver);
        expect(await trialsIn(software.tcti)).toEqual([]);
      }
    }
    expect(left).toBeGreaterThan(0);
  });

  it('removes nothing that somebody else put at its place', async () => {
    const place = `0x${CARD_NV_LAST.toString(16)}`;
    await software.tool('tpm2_nvdefine', '-C', 'o', '-s', '8', place);
    expect(await facts()).toMatchObject({ pinIndex: 'works', leftOverRemoved: false });
    expect(await trialsIn(software.tcti)).toEqual([CARD_NV_LAST]);
  });
});

describe('a TPM that does not answer', () => {
  const silent = async (
    work: (tcti: string) => Promise<void>,
    onConnection: (end: () => void) => void = () => undefined,
  ) => {
    const path = join(software.directory, `${randomBytes(4).toString('hex')}.sock`);
    const server: Server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', () => onConnection(() => socket.destroy()));
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    try {
      await work(`swtpm:path=${path}`);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  };

  it('is not there', async () => {
    const tcti = `swtpm:path=${join(software.directory, 'nothing.sock')}`;
    const answer = await askTpm(() => openTpm(tcti));
    expect(answer).toMatchObject({ answers: false, code: 'tpm-unreachable' });
    expect(tpmFindings({ tpm: answer, machine: machine(tcti) })).toMatchObject([{ check: 'tpm', level: 'problem' }]);
  });

  it('hangs up at once', async () => {
    await silent(
      async (tcti) => {
        expect(await askTpm(() => openTpm(tcti))).toMatchObject({ answers: false, code: 'tpm-unreachable' });
      },
      (end) => end(),
    );
  });

  it('says nothing for too long', async () => {
    const mute = async (): Promise<Tpm> => {
      throw timedOut('/dev/tpmrm0', 20_000);
    };
    const answer = await askTpm(mute);
    expect(answer).toMatchObject({ answers: false, code: 'tpm-timeout' });
    expect(tpmFindings({ tpm: answer, machine: machine('x') })[0]?.advice).toContain('other program');
  });
});
