import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { inRepository, until } from '@cardwright/infra';
import { expect } from 'vitest';
import type { Device } from './device.ts';
import { enrolledCard } from './people.ts';
import { type Ran, refusalOf, start } from './run.ts';
import type { TestSystem } from './system.ts';

const AGENT = inRepository('agent', 'bin', 'cardwright-agent.mjs');
export const PINS = ['618294', '927356'] as const;

/** One card in its holder's hands, through many deaths of the agent. */
export interface HeldCard {
  readonly system: TestSystem;
  readonly device: Device;
  readonly cardId: string;
  readonly serial: string;
  /** Where it stands in the TPM. */
  readonly slot: number;
  /** As its holder knows it. */
  pin: string;
}

export async function heldCard(system: TestSystem, device: Device, profile?: string): Promise<HeldCard> {
  const pin = PINS[0];
  const { cardId, serial } = await enrolledCard(system, device, pin, 'Grace Hopper', profile);
  const { cards } = JSON.parse(readFileSync(join(device.store, 'store.json'), 'utf8'));
  const { slot } = cards.find((card: { cardId: string }) => card.cardId === cardId);
  return { system, device, cardId, serial, slot, pin };
}

/** What the agent is told to do to itself: die at a point (a number or a name, agent/faults.ts), or note the points. */
type FaultSetting = Readonly<Record<string, string>>;
/** An act of the card's holder, to its end or to the agent's death. */
export type CardAct = (card: HeldCard, fault: FaultSetting) => Promise<Ran>;

const otherPin = ({ pin }: HeldCard) => (pin === PINS[0] ? PINS[1] : PINS[0]);

export const changePin: CardAct = (card, env) =>
  card.device.agent(['change-pin', '--card', card.serial, '--pin-stdin'], {
    input: `${card.pin}\n${otherPin(card)}\n`,
    env,
  });

export const unblockByPhone: CardAct = (card, env) => unblock(card, env, ['--response-stdin'], byPhone);
export const unblockOnline: CardAct = (card, env) => unblock(card, env, ['--online'], byApproval);

export const destroy: CardAct = ({ device, serial }, env) =>
  device.agent(['destroy', '--card', serial, '--yes'], { env });

/** One contact of the agent's service with the server: it checks in and does what it is told. */
export const round: CardAct = ({ device }, env) => device.agent(['run', '--once'], { env });

type Helping = (card: HeldCard, shown: { challenge: string[] } & { confirmationCode: string }) => Promise<string>;

async function unblock(card: HeldCard, fault: FaultSetting, way: readonly string[], help: Helping): Promise<Ran> {
  const args = ['unblock', '--card', card.serial, '--json', '--pin-stdin', ...way];
  const env = { CARDWRIGHT_TPM: card.device.tpm.tcti, CARDWRIGHT_STORE: card.device.store, ...fault };
  const program = start(process.execPath, [AGENT, ...args], { env, seconds: 120 });
  program.child.stdin?.write(`${otherPin(card)}\n`);
  let over = false;
  void program.ended.then(() => {
    over = true;
  });
  await until({ what: 'a challenge, or the end', seconds: 60 }, () =>
    over || program.output().includes('\n') ? true : null,
  );
  let typed = '';
  try {
    if (program.output().includes('\n')) typed = await help(card, JSON.parse(program.output().split('\n')[0] ?? ''));
  } finally {
    // Also when the help failed: an agent that waits would hold the TPM.
    program.child.stdin?.end(typed);
  }
  return program.ended;
}

async function byPhone({ system, cardId }: HeldCard, { challenge }: { challenge: string[] }): Promise<string> {
  const helpdesk = system.as('helpdesk');
  const asked = { verification: { method: 'video', evidence: 'seen' }, reason: 'the power failed' };
  const session = await helpdesk.post(`/cards/${cardId}/unblock-sessions`, asked);
  const answered = await helpdesk.post(`/unblock-sessions/${session.body.id}/responses`, {
    challenge: challenge.join('\n'),
  });
  expect(answered.status, JSON.stringify(answered.body)).toBe(201);
  return `${answered.body.response}\n`;
}

async function byApproval({ system, cardId }: HeldCard, shown: { confirmationCode: string }): Promise<string> {
  const helpdesk = system.as('helpdesk');
  const requests = await helpdesk.get('/unblock-sessions?state=requested');
  for (const request of requests.body.items.filter((item: { cardId: string }) => item.cardId === cardId)) {
    await helpdesk.post(`/unblock-sessions/${request.id}/approvals`, {
      confirmationCode: shown.confirmationCode,
      verification: { method: 'video', evidence: 'seen' },
      reason: 'the power failed',
    });
  }
  return '';
}

/** The agent's points in an act that is not disturbed. */
export async function pointsOf(card: HeldCard, act: CardAct): Promise<string[]> {
  const trace = join(card.device.directory, 'trace');
  rmSync(trace, { force: true });
  const ran = await act(card, { CARDWRIGHT_FAULT_TRACE: trace });
  expect(refusalOf(ran), ran.stderr).toBeNull();
  return existsSync(trace) ? readFileSync(trace, 'utf8').trimEnd().split('\n') : [];
}

export async function opens({ device, serial }: HeldCard, pin: string): Promise<string> {
  const out = join(device.directory, 'signature');
  const args = ['sign', '--card', serial, '--in', '/proc/version', '--out', out, '--pin-stdin'];
  return refusalOf(await device.agent(args, { input: `${pin}\n` })) ?? 'opens';
}

/** One of the holder's two PINs opens the card, and the other does not: never none, never both. */
export async function hasOneKnownPin(card: HeldCard): Promise<void> {
  const found = new Map<string, string>();
  for (const pin of PINS) found.set(pin, await opens(card, pin));
  expect([...found.values()].toSorted()).toEqual(['opens', 'pin-wrong']);
  card.pin = found.get(PINS[0]) === 'opens' ? PINS[0] : PINS[1];
}

export async function block(card: HeldCard): Promise<void> {
  const said: string[] = [];
  while (said.length < 6 && said.at(-1) !== 'card-blocked') said.push(await opens(card, '111999'));
  expect(said.at(-1), said.join()).toBe('card-blocked');
}

/** The same command again, and the card is open with the PIN that its holder chose. */
export async function opensAfterUnblock(card: HeldCard, act: CardAct): Promise<void> {
  const chosen = otherPin(card);
  const ran = await act(card, {});
  expect(refusalOf(ran), ran.stderr).toBeNull();
  await hasOneKnownPin(card);
  expect(card.pin).toBe(chosen);
}

/** The same command again, and nothing is left: not in the TPM, not in the store, not at the server. */
export async function isGoneAfterDestroy(card: HeldCard): Promise<void> {
  expect([null, 'card-unknown']).toContain(refusalOf(await destroy(card, {})));
  await isGone(card);
}

/** Asks for the end of the card: its certificates are revoked at once, and its device destroys it when it is told. */
export async function retire({ system, cardId }: HeldCard): Promise<void> {
  const retired = await system.as('security-officer').post(`/cards/${cardId}/retirements`, { reason: 'left' });
  expect(retired.status, JSON.stringify(retired.body)).toBe(201);
}

/** The next round, and nothing is left, and the server was told so once. */
export async function isGoneAfterRound(card: HeldCard): Promise<void> {
  const ran = await round(card, {});
  expect(refusalOf(ran), ran.stderr + ran.stdout).toBeNull();
  await isGone(card);
  const { body } = await card.system.as('auditor').get(`/cards/${card.cardId}`);
  const tasks = await card.system.as('auditor').get(`/devices/${body.deviceId}/tasks`);
  const ended = tasks.body.items.filter((task: { card: { id: string } }) => task.card.id === card.cardId);
  expect(ended).toMatchObject([{ kind: 'destroy', state: 'done' }]);
}

async function isGone({ device, system, cardId, slot }: HeldCard): Promise<void> {
  const env = { ...process.env, TPM2TOOLS_TCTI: device.tpm.tcti };
  const handles = execFileSync('tpm2_getcap', ['handles-nv-index'], { env, encoding: 'utf8' });
  expect(handles.toLowerCase()).not.toContain(slot.toString(16));
  const { cards, tasks } = JSON.parse(readFileSync(join(device.store, 'store.json'), 'utf8'));
  expect(cards.filter((card: { cardId: string }) => card.cardId === cardId)).toEqual([]);
  expect(tasks).toEqual([]);
  expect((await system.as('helpdesk').get(`/cards/${cardId}`)).body).toMatchObject({ state: 'destroyed' });
  const certificates = await system.as('auditor').get(`/cards/${cardId}/certificates`);
  expect(certificates.body.items.filter(({ status }: { status: string }) => status === 'active')).toEqual([]);
}
