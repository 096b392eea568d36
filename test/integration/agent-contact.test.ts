import { readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Device, newDevice } from '../support/device.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { enrolledCard } from '../support/people.ts';
import { refusalOf } from '../support/run.ts';
import { startTestSystem, type TestSystem } from '../support/system.ts';

const PIN = '618294';

let system: TestSystem;
let proxy: FaultProxy;
beforeAll(async () => {
  system = await startTestSystem();
  proxy = await startFaultProxy(system.url);
});
afterAll(async () => {
  await proxy?.close();
  await system?.remove();
});

async function withDevice(work: (device: Device, card: { cardId: string; serial: string }) => Promise<void>) {
  const device = await newDevice();
  try {
    await work(device, await enrolledCard({ ...system, url: proxy.url }, device, PIN));
  } finally {
    await device.remove();
  }
}
const sign = (device: Device, pin: string) =>
  device.agent(['sign', '--in', '/proc/version', '--out', join(device.directory, 'signature'), '--pin-stdin'], {
    input: `${pin}\n`,
  });
const stateOf = async (cardId: string) => {
  const { state, triesLeft } = (await system.as('auditor').get(`/cards/${cardId}`)).body;
  return { state, triesLeft };
};
const keptOutcomes = (device: Device) => JSON.parse(readFileSync(join(device.store, 'store.json'), 'utf8')).outcomes;

describe('a card that blocks', () => {
  it('is known to the server at once, and so is its unblocking', async () => {
    await withDevice(async (device, { cardId }) => {
      for (let tries = 0; tries < 4; tries++) expect(refusalOf(await sign(device, '000000'))).toBe('pin-wrong');
      expect(await stateOf(cardId)).toMatchObject({ state: 'active' });
      expect(refusalOf(await sign(device, '000000'))).toBe('pin-wrong');
      expect(await stateOf(cardId)).toEqual({ state: 'blocked', triesLeft: 0 });

      const unblock = await device.startUnblock('837465');
      const verification = { method: 'call-back', evidence: 'Called back' };
      const helpdesk = system.as('helpdesk');
      const session = (
        await helpdesk.post(`/cards/${cardId}/unblock-sessions`, { verification, reason: 'Forgot the PIN' })
      ).body.id;
      const { response } = (
        await helpdesk.post(`/unblock-sessions/${session}/responses`, { challenge: unblock.challenge })
      ).body;
      expect(await unblock.finish(response)).toMatchObject({ exitCode: 0 });
      expect(await stateOf(cardId)).toEqual({ state: 'active', triesLeft: 5 });
    });
  });

  it('says so in no more time when the server hangs or is gone', async () => {
    await withDevice(async (device) => {
      for (let tries = 0; tries < 4; tries++) await sign(device, '000000');
      const silent = await hangingServer();
      try {
        const text = readFileSync(join(device.store, 'store.json'), 'utf8');
        writeStore(device, text.replaceAll(proxy.url, silent.url));
        const before = Date.now();
        expect(refusalOf(await sign(device, '000000'))).toBe('pin-wrong');
        const hanging = Date.now() - before;
        const asked = silent.asked();
        expect(asked).toBeGreaterThan(0);
        writeStore(device, text.replaceAll(proxy.url, 'http://127.0.0.1:9'));
        const again = Date.now();
        expect(refusalOf(await sign(device, '000000'))).toBe('card-blocked');
        expect(hanging - (Date.now() - again)).toBeLessThan(2_000);
        writeStore(device, JSON.stringify({ ...JSON.parse(text), servers: [] }));
        expect(refusalOf(await sign(device, '000000'))).toBe('card-blocked');
        expect(silent.asked()).toBe(asked);
      } finally {
        await silent.close();
      }
    });
  });
});

describe('the outcome of an online unblock', () => {
  it('that could not be told is kept, and told at the next contact', async () => {
    await withDevice(async (device, { cardId }) => {
      const online = await device.startOnlineUnblock('837465');
      const [session] = (await system.as('helpdesk').get(`/cards/${cardId}/unblock-sessions`)).body.items;
      proxy.arm('/outcomes', 'before', () => system.processes.cms.kill());
      const approved = await system.as('helpdesk').post(`/unblock-sessions/${session.id}/approvals`, {
        confirmationCode: online.confirmationCode,
        verification: { method: 'video', evidence: 'Seen on video' },
        reason: 'Forgot the PIN',
      });
      expect(approved.status).toBe(201);
      const ended = await online.ended;
      expect(ended, ended.stderr).toMatchObject({ exitCode: 0 });
      expect(ended.stderr).toContain('told at the next contact');
      expect(keptOutcomes(device)).toEqual([{ server: proxy.url, sessionId: session.id, outcome: 'worked' }]);

      expect(await device.agent(['status', '--json'])).toMatchObject({ exitCode: 0 });
      expect(keptOutcomes(device)).toHaveLength(1);
      await system.processes.cms.start();
      expect(await device.agent(['status', '--json'])).toMatchObject({ exitCode: 0 });
      expect(keptOutcomes(device)).toEqual([]);
      expect(await sign(device, '837465')).toMatchObject({ exitCode: 0 });
      const told = (await system.as('helpdesk').get(`/unblock-sessions/${session.id}`)).body;
      expect(told.state).toBe('worked');
    });
  });

  it('whose answer was lost is told twice and recorded once; one that the server refuses is not told for ever', async () => {
    await withDevice(async (device, { cardId }) => {
      const online = await device.startOnlineUnblock('837465');
      const [session] = (await system.as('helpdesk').get(`/cards/${cardId}/unblock-sessions`)).body.items;
      const approval = {
        confirmationCode: online.confirmationCode,
        verification: { method: 'video', evidence: 'Seen on video' },
        reason: 'Forgot the PIN',
      };
      expect((await system.as('helpdesk').post(`/unblock-sessions/${session.id}/approvals`, approval)).status).toBe(
        201,
      );
      expect(await online.ended).toMatchObject({ exitCode: 0 });
      const document = JSON.parse(readFileSync(join(device.store, 'store.json'), 'utf8'));
      const outcome = { server: proxy.url, sessionId: session.id, outcome: 'worked' };
      const strange = { ...outcome, sessionId: '0199f2a0-8888-7000-8000-000000000008', outcome: 'failed' };
      writeStore(device, JSON.stringify({ ...document, outcomes: [outcome, strange] }));
      expect(await device.agent(['status', '--json'])).toMatchObject({ exitCode: 0 });
      expect(keptOutcomes(device)).toEqual([]);
      const path = `/audit/events?unblockSessionId=${session.id}&action=unblock.outcome-reported&outcome=done`;
      expect((await system.as('auditor').get(path)).body.items).toHaveLength(1);
    });
  });
});

function writeStore(device: Device, text: string): void {
  writeFileSync(join(device.store, 'store.json'), text, { mode: 0o600 });
}

/** Takes connections and never says anything. */
async function hangingServer(): Promise<{ url: string; asked(): number; close(): Promise<void> }> {
  let asked = 0;
  const open = new Set<Socket>();
  const server: Server = createServer((socket) => {
    asked++;
    open.add(socket);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: () => asked,
    close: () =>
      new Promise((resolve) => {
        for (const socket of open) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
