import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inRepository, until } from '@cardwright/infra';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Device, newDevice } from '../support/device.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { enrolledCard } from '../support/people.ts';
import { type Ran, refusalOf, run, start } from '../support/run.ts';
import { startTestSystem, type TestSystem } from '../support/system.ts';

const PIN = '618294';

let system: TestSystem;
let proxy: FaultProxy;
let device: Device;
let card: { cardId: string; serial: string };
beforeAll(async () => {
  system = await startTestSystem();
  proxy = await startFaultProxy(system.url);
});
afterAll(async () => {
  await proxy?.close();
  await system?.remove();
});
beforeEach(async () => {
  device = await newDevice();
  card = await enrolledCard({ ...system, url: proxy.url }, device, PIN);
});
afterEach(() => device?.remove());

const storeFile = () => join(device.store, 'store.json');
const store = () => JSON.parse(readFileSync(storeFile(), 'utf8'));
const officer = () => system.as('security-officer');

async function round(env: Record<string, string> = {}): Promise<Ran> {
  return await device.agent(['run', '--once', '--json'], { env });
}
async function goodRound(): Promise<string[]> {
  const ran = await round();
  expect(ran, ran.stderr + ran.stdout).toMatchObject({ exitCode: 0 });
  return eventsOf(ran);
}
const eventsOf = (ran: Ran) => linesOf(ran).map(({ event }) => event as string);
const linesOf = (ran: Ran): Record<string, unknown>[] =>
  ran.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

async function requestChange(): Promise<string> {
  const body = { cause: 'periodic', reason: 'Keys of last year are to go' };
  const made = await officer().post(`/cards/${card.cardId}/administrator-key-changes`, body);
  expect(made.status, JSON.stringify(made.body)).toBe(201);
  return made.body.id;
}
const change = async (id: string) => (await officer().get(`/administrator-key-changes/${id}`)).body;

/** By phone, with the response of whichever key the server answers with. */
async function unblockOffline(newPin: string): Promise<void> {
  const unblock = await device.startUnblock(newPin);
  const helpdesk = system.as('helpdesk');
  const verification = { method: 'call-back', evidence: 'Called back' };
  const opened = await helpdesk.post(`/cards/${card.cardId}/unblock-sessions`, { verification, reason: 'Forgot it' });
  expect(opened.status, JSON.stringify(opened.body)).toBe(201);
  const answered = await helpdesk.post(`/unblock-sessions/${opened.body.id}/responses`, {
    challenge: unblock.challenge,
  });
  const ended = await unblock.finish(answered.body.response);
  expect(ended, ended.stderr).toMatchObject({ exitCode: 0 });
  await helpdesk.post(`/unblock-sessions/${opened.body.id}/outcomes`, { outcome: 'worked' });
}

async function unblockOnline(newPin: string): Promise<void> {
  const online = await device.startOnlineUnblock(newPin);
  const [session] = (await system.as('helpdesk').get(`/cards/${card.cardId}/unblock-sessions`)).body.items;
  const approved = await system.as('helpdesk').post(`/unblock-sessions/${session.id}/approvals`, {
    confirmationCode: online.confirmationCode,
    verification: { method: 'video', evidence: 'Seen on video' },
    reason: 'Forgot the PIN',
  });
  expect(approved.status).toBe(201);
  expect(await online.ended).toMatchObject({ exitCode: 0 });
}

async function sign(pin: string): Promise<Ran> {
  const args = ['sign', '--in', '/proc/version', '--out', join(device.directory, 'signature'), '--pin-stdin'];
  return await device.agent(args, { input: `${pin}\n` });
}

describe('a change of the administrator key', () => {
  it('that an operator asks for is done at the next check-in; then the new key resets the PIN', async () => {
    const id = await requestChange();
    expect(await change(id)).toMatchObject({ state: 'requested', fromVersion: 1, toVersion: null });
    const events = await goodRound();
    expect(events).toEqual(['check-in', 'task-begun', 'key-rehearsed', 'task-reported', 'round-done']);
    expect(await change(id)).toMatchObject({ state: 'confirmed', fromVersion: 1, toVersion: 2 });
    expect(store()).toMatchObject({ tasks: [], cards: [{ successions: [{ keyVersion: 2 }], key: { keyVersion: 1 } }] });

    expect(await sign(PIN)).toMatchObject({ exitCode: 0 });
    await unblockOffline('837465');
    expect(await sign('837465')).toMatchObject({ exitCode: 0 });
    await unblockOnline('293847');
    expect(await sign('293847')).toMatchObject({ exitCode: 0 });
    const changed = await device.agent(['change-pin', '--pin-stdin'], { input: '293847\n746352\n' });
    expect(changed, changed.stderr).toMatchObject({ exitCode: 0 });
    expect(await sign('746352')).toMatchObject({ exitCode: 0 });

    const second = await requestChange();
    await goodRound();
    expect(await change(second)).toMatchObject({ state: 'confirmed', fromVersion: 2, toVersion: 3 });
    await unblockOffline('538264');
    expect(await sign('538264')).toMatchObject({ exitCode: 0 });
  });

  // test/faults/key-change.test.ts dies elsewhere.
  it('during which the agent dies is completed by the next round', async () => {
    const id = await requestChange();
    const died = await round({ CARDWRIGHT_FAULT_AT: 'card.rehearse.after' });
    expect(died.signal, died.stderr).toBe('SIGKILL');
    await goodRound();
    expect(await change(id)).toMatchObject({ state: 'confirmed', toVersion: 2 });
    expect(store()).toMatchObject({ tasks: [], cards: [{ successions: [{ keyVersion: 2 }] }] });
    await unblockOffline('293847');
    expect(await sign('293847')).toMatchObject({ exitCode: 0 });
  });

  it('that a restored store has forgotten is made up for at the next check-in', async () => {
    const before = join(device.directory, 'before.json');
    copyFileSync(storeFile(), before);
    const id = await requestChange();
    await goodRound();
    expect(await change(id)).toMatchObject({ state: 'confirmed' });

    writeFileSync(storeFile(), readFileSync(before), { mode: 0o600 });
    await goodRound();
    await goodRound();
    expect(store()).toMatchObject({ tasks: [], cards: [{ successions: [{ keyVersion: 2 }] }] });
    await unblockOffline('837465');
    expect(await sign('837465')).toMatchObject({ exitCode: 0 });
  });
});

describe('the agent as a service', () => {
  /** `cardwright-agent run`, as systemd would. */
  function startService() {
    const bin = inRepository('agent', 'bin', 'cardwright-agent.mjs');
    const env = { CARDWRIGHT_TPM: device.tpm.tcti, CARDWRIGHT_STORE: device.store };
    const service = start(process.execPath, [bin, 'run', '--json'], { env, seconds: 60 });
    const heard = (event: string, times = 1) =>
      until({ what: `the event ${event}`, seconds: 40 }, () => {
        const count = service.output().split(`"event":"${event}"`).length - 1;
        return count >= times ? count : null;
      });
    /** As an operator who does not want to wait for the next check-in. */
    const hurry = async () => {
      await heard('started');
      service.child.kill('SIGUSR2');
    };
    return { service, heard, hurry };
  }

  it('works on while its server is away, catches up, lets other commands work, and ends cleanly', async () => {
    const { service, heard, hurry } = startService();
    await hurry();
    await heard('waiting');
    const second = await round();
    expect(refusalOf(second)).toBe('agent-already-running');
    expect(second.exitCode).toBe(4);
    expect(await sign(PIN)).toMatchObject({ exitCode: 0 });
    service.child.kill('SIGTERM');
    const ended = await service.ended;
    expect(ended, ended.stderr).toMatchObject({ exitCode: 0, signal: null, stderr: '' });
    expect(eventsOf(ended).at(-1)).toBe('stopped');
    expect(readdirSync(device.store)).toEqual(['store.json']);
    expect(ended.stdout).not.toContain(store().servers[0].deviceToken);

    await system.processes.cms.kill();
    const alone = await round();
    expect(refusalOf(alone)).toBe('round-incomplete');
    expect(alone.exitCode).toBe(7);
    const again = startService();
    await again.hurry();
    await again.heard('server-problem');
    expect(await sign(PIN)).toMatchObject({ exitCode: 0 });
    await system.processes.cms.start();
    const id = await requestChange();
    await again.hurry();
    await again.heard('key-rehearsed');
    await again.heard('task-reported');
    again.service.child.kill('SIGTERM');
    expect(await again.service.ended).toMatchObject({ exitCode: 0 });
    expect(await change(id)).toMatchObject({ state: 'confirmed' });
  });

  it('reports the tries left, and passes on a message, once, though its report was lost', async () => {
    await sign('000000');
    const { deviceId } = store().servers[0];
    const text = 'Please bring this laptop to the service desk on Friday.';
    const sent = await system.as('helpdesk').post(`/devices/${deviceId}/messages`, { text });
    expect(sent.status, JSON.stringify(sent.body)).toBe(201);
    proxy.arm('/results', 'after', async () => undefined);
    await goodRound();
    expect((await officer().get(`/cards/${card.cardId}`)).body).toMatchObject({ state: 'active', triesLeft: 4 });
    await goodRound();
    const shown = await device.agent(['messages', '--new', '--json']);
    expect(JSON.parse(shown.stdout).messages).toMatchObject([{ text, new: true }]);
    expect(JSON.parse((await device.agent(['messages', '--new', '--json'])).stdout).messages).toEqual([]);
    expect((await device.agent(['messages', '--clear'])).stdout).toContain(text);
    expect(store().messages).toEqual([]);
    const [task] = (await officer().get(`/devices/${deviceId}/tasks`)).body.items;
    expect(task).toMatchObject({ kind: 'message', state: 'done' });
  });

  it('destroys a card that was retired, and says by the TPM that it is gone', async () => {
    const retired = await officer().post(`/cards/${card.cardId}/retirements`, { reason: 'Left the company' });
    expect(retired.status, JSON.stringify(retired.body)).toBe(201);
    const { deviceId } = store().servers[0];
    const { slot } = store().cards[0];
    await goodRound();
    const tasks = (await officer().get(`/devices/${deviceId}/tasks`)).body.items;
    expect(tasks).toMatchObject([{ kind: 'destroy', state: 'done' }]);
    expect(store()).toMatchObject({ cards: [], tasks: [] });
    const env = { TPM2TOOLS_TCTI: device.tpm.tcti };
    const indexes = await run('tpm2_getcap', ['handles-nv-index'], { env });
    expect(indexes).toMatchObject({ exitCode: 0 });
    expect(indexes.stdout.toLowerCase()).not.toContain(slot.toString(16));
    expect(refusalOf(await sign(PIN))).toBe('card-unknown');
  });
});
