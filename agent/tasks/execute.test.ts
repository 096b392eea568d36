import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DomainError, type ErrorKind, Secret } from '@cardwright/protocol';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type MadeCard, makeCard } from '../card/testing/make-card.ts';
import { VaultPart } from '../card/testing/vault-part.ts';
import { tpmCardMaker } from '../card/tpm/index.ts';
import { systemContext } from '../context.linux.ts';
import { noFaults } from '../faults.ts';
import type { StoredCard } from '../store/document.ts';
import { exampleCard } from '../store/fixture.ts';
import { FileMedium } from '../store/medium.file.ts';
import { Store } from '../store/store.ts';
import { type SoftwareTpm, startSoftwareTpm } from '../tpm/testing/software-tpm.process.ts';
import { openTpm } from '../tpm/wire.ts';
import type { AgentTask } from './agent-task.ts';
import { deliverResults, execute, forgetCancelled } from './execute.ts';
import { handlerOf } from './handlers.ts';
import { failed, type SuccessorOffer, type TaskResult } from './journal.ts';
import type { TaskWork } from './task.ts';

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
const SERVER = 'https://cards.example.org';

let device: SoftwareTpm;
let directory: string;
let made: MadeCard;
let card: StoredCard;
beforeAll(async () => {
  device = await startSoftwareTpm();
});
afterAll(() => device.stop());

/** A card in the TPM and in the store, as an enrolment leaves it. */
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'cardwright-tasks-'));
  const maker = tpmCardMaker(await openTpm(device.tcti));
  made = await makeCard(maker, '123456');
  await maker.close();
  const { record, vault } = made;
  const key = { keyVersion: 1, name: Buffer.from(vault.name).toString('hex'), blob: base64(record.administratorKey) };
  card = { ...exampleCard('CW-1111-1111'), server: SERVER, slot: record.slot, key };
  const store = new Store(new FileMedium(directory, noFaults));
  store.putServer({ url: SERVER, deviceToken: 'A'.repeat(43), deviceId: 'device-1', trustedCa: null });
  const journal = { codeDigest: card.codeDigest, server: SERVER, startedAt: card.enrolledAt };
  store.putJournal({ ...journal, state: { step: 'claiming' } }, Buffer.from(record.parentName).toString('hex'));
  store.finishJournal({ ...journal, state: { step: 'claiming' } }, card);
});
afterEach(async () => {
  const maker = tpmCardMaker(await openTpm(device.tcti));
  await maker.discard(made.record.slot, made.vault.name);
  await maker.close();
  rmSync(directory, { recursive: true, force: true });
});

const stored = () => new Store(new FileMedium(directory, noFaults)).document;

/** The server's part: what it offers, what it was told, and how it fails. */
class ServerPart {
  readonly reports: { taskId: string; result: TaskResult }[] = [];
  offers = 0;
  offer: ((parentPublic: Uint8Array) => SuccessorOffer) | undefined;
  refusal: DomainError | undefined;

  get work(): TaskWork {
    const env = { CARDWRIGHT_STORE: directory, CARDWRIGHT_TPM: device.tcti };
    const server = {
      keyOffer: async (_: string, parentPublic: string) => {
        this.offers++;
        if (this.refusal !== undefined) throw this.refusal;
        if (this.offer === undefined) throw new Error('nothing is offered');
        return this.offer(Buffer.from(parentPublic, 'base64'));
      },
      reportTask: async (taskId: string, result: TaskResult) => {
        if (this.refusal !== undefined) throw this.refusal;
        this.reports.push({ taskId, result });
      },
    };
    return {
      context: systemContext(env, noFaults),
      storeDirectory: undefined,
      tpm: undefined,
      serverUrl: SERVER,
      // Only what these tasks ask for.
      server: server as unknown as TaskWork['server'],
      log: () => undefined,
    };
  }
}

function offerBy(approver: VaultPart, successor: VaultPart) {
  return (parentPublic: Uint8Array): SuccessorOffer => {
    const wrapped = successor.wrapFor(parentPublic);
    const text = ({ approvedPolicy, signature }: { approvedPolicy: Uint8Array; signature: Uint8Array }) => ({
      approvedPolicy: base64(approvedPolicy),
      signature: base64(signature),
    });
    return {
      kind: 'successor',
      keyVersion: 2,
      name: Buffer.from(successor.name).toString('hex'),
      public: base64(wrapped.public),
      duplicate: base64(wrapped.duplicate),
      inSymSeed: base64(wrapped.inSymSeed),
      approval: text(approver.approveSuccessor(successor.name)),
      rehearsal: text(successor.approveRehearsal()),
    };
  };
}

const task = (kind: string, more: Partial<AgentTask> = {}): AgentTask => ({
  taskId: 'task-1',
  kind,
  cardId: card.cardId,
  cardSerial: card.serial,
  cardKind: 'tpm',
  message: null,
  ...more,
});
const run = (server: ServerPart, one: AgentTask) => execute(server.work, one, handlerOf(one));
const refusal = (kind: ErrorKind, code: string) => new DomainError(kind, code, 'as the test wants it');

describe('a change of the administrator key', () => {
  it('is adopted, reported and forgotten; asked for again it is only reported', async () => {
    const server = new ServerPart();
    const successor = new VaultPart();
    server.offer = offerBy(made.vault, successor);
    await run(server, task('change-administrator-key'));
    expect(server.reports).toMatchObject([{ taskId: 'task-1', result: { outcome: 'done', keyVersion: 2 } }]);
    expect(stored()).toMatchObject({ tasks: [], cards: [{ successions: [{ keyVersion: 2 }] }] });
    await run(server, task('change-administrator-key', { taskId: 'task-2' }));
    expect(server.reports).toHaveLength(2);
    expect(stored().cards[0]?.successions).toHaveLength(1);
  });

  it.each<[string, () => (parent: Uint8Array) => SuccessorOffer, string]>([
    ['approved by another card’s key', () => offerBy(new VaultPart(), new VaultPart()), 'successor-refused-by-card'],
    [
      'wrapped for another device',
      () => (parent) => {
        const offer = offerBy(made.vault, new VaultPart())(parent);
        return { ...offer, duplicate: base64(Buffer.from(offer.duplicate, 'base64').fill(0, 10)) };
      },
      'administrator-key-refused',
    ],
    [
      'whose name is not its own',
      () => (parent) => ({ ...offerBy(made.vault, new VaultPart())(parent), name: `000b${'00'.repeat(32)}` }),
      'administrator-key-refused',
    ],
  ])('to one %s fails, and the card keeps its key', async (_, offer, code) => {
    const server = new ServerPart();
    server.offer = offer();
    await run(server, task('change-administrator-key'));
    expect(server.reports).toMatchObject([{ result: { outcome: 'failed', code, keyVersion: 1 } }]);
    expect(stored()).toMatchObject({ tasks: [], cards: [{ successions: [] }] });
    const maker = tpmCardMaker(await openTpm(device.tcti));
    try {
      const challenge = await maker.open(made.record).challenge();
      await challenge.finish(made.vault.answerReset(made.record.slot, challenge, 5), Secret.fromText('1'));
    } finally {
      await maker.close();
    }
  });

  it('whose report could not be delivered is not done a second time', async () => {
    const server = new ServerPart();
    server.offer = offerBy(made.vault, new VaultPart());
    const { work } = server;
    const report = work.server.reportTask;
    work.server.reportTask = async () => {
      throw refusal('unavailable', 'server-unreachable');
    };
    const one = task('change-administrator-key');
    await expect(execute(work, one, handlerOf(one))).rejects.toMatchObject({ code: 'server-unreachable' });
    expect(stored()).toMatchObject({ tasks: [{ state: { step: 'finished' } }], cards: [{ successions: [{}] }] });
    work.server.reportTask = report;
    await deliverResults(work);
    expect(server.reports).toHaveLength(1);
    expect(server.offers).toBe(1);
    expect(stored().tasks).toEqual([]);
  });

  it('that the server withdrew is forgotten, and the card is as it was', async () => {
    const server = new ServerPart();
    server.offer = offerBy(made.vault, new VaultPart());
    const one = task('change-administrator-key');
    const away = { ...server.work, tpm: 'swtpm:path=/nowhere/tpm.sock' };
    await expect(execute(away, one, handlerOf(one))).rejects.toMatchObject({ kind: 'unavailable' });
    new Store(new FileMedium(directory, noFaults)).putTask({
      server: SERVER,
      taskId: 'task-1',
      kind: one.kind,
      state: { step: 'offered', offer: offerBy(made.vault, new VaultPart())((await parentOf()).public) },
    });
    await forgetCancelled(server.work, [one]);
    expect(stored().tasks).toHaveLength(1);
    await forgetCancelled(server.work, []);
    expect(stored()).toMatchObject({ tasks: [], cards: [{ successions: [] }] });
  });

  async function parentOf() {
    const maker = tpmCardMaker(await openTpm(device.tcti));
    const parent = await maker.parent();
    await maker.close();
    return parent;
  }
});

describe('a task', () => {
  it.each<[Partial<AgentTask> & { kind: string }, string]>([
    [{ kind: 'dance' }, 'task-kind-unknown'],
    [{ kind: 'toString' }, 'task-kind-unknown'],
    [{ kind: 'destroy', cardKind: 'minidriver' }, 'task-not-for-this-card'],
    [{ kind: 'destroy', cardKind: 'constructor' }, 'task-not-for-this-card'],
    [{ kind: 'destroy', cardId: 'another' }, 'card-unknown'],
    [{ kind: 'retire', cardId: 'another' }, 'card-unknown'],
    [{ kind: 'renew', cardId: 'another' }, 'card-unknown'],
    [{ kind: 'change-administrator-key', cardId: null }, 'card-unknown'],
    [{ kind: 'message' }, 'message-missing'],
  ])('%j fails with %s, and nothing is left of it', async (more, code) => {
    const server = new ServerPart();
    await run(server, task(more.kind, more));
    expect(server.reports).toMatchObject([{ result: { outcome: 'failed', code } }]);
    expect(stored()).toMatchObject({ tasks: [], cards: [{ state: 'active' }] });
  });

  it('of another server’s card is not done', async () => {
    const server = new ServerPart();
    const work = { ...server.work, serverUrl: 'https://elsewhere.example.org' };
    await execute(work, task('destroy'), handlerOf(task('destroy')));
    expect(server.reports).toMatchObject([{ result: { code: 'card-unknown' } }]);
    expect(stored().cards).toHaveLength(1);
  });

  it('to retire takes the card out of use, and one to destroy takes it out of the TPM', async () => {
    const server = new ServerPart();
    await run(server, task('retire'));
    expect(stored()).toMatchObject({ cards: [{ state: 'retired' }] });
    await run(server, task('destroy', { taskId: 'task-2' }));
    expect(stored()).toMatchObject({ cards: [], tasks: [] });
    expect(server.reports[1]?.result.detail).toContain('Nothing stands at 0x');
    const maker = tpmCardMaker(await openTpm(device.tcti));
    expect(await maker.slotState(made.record.slot, made.vault.name)).toBe('absent');
    await maker.close();
  });

  it.each<[ErrorKind, string, number]>([
    ['not-found', 'not-found', 0],
    ['conflict', 'task-not-delivered', 0],
    ['unavailable', 'server-timeout', 1],
    ['too-many', 'rate-limited', 1],
    ['unauthenticated', 'token-unknown', 1],
    ['forbidden', 'server-certificate-changed', 1],
    ['forbidden', 'permission-missing', 1],
    ['conflict', 'device-tpm-changed', 1],
  ])('whose report ends with %s %s is kept %d times', async (kind, code, kept) => {
    const server = new ServerPart();
    const { work } = server;
    server.refusal = refusal(kind, code);
    const one = task('message', { message: 'Hello' });
    const running = execute(work, one, handlerOf(one));
    if (kept === 0) await running;
    else await expect(running).rejects.toMatchObject({ code });
    expect(stored().tasks).toHaveLength(kept);
    expect(stored().messages).toHaveLength(1);
  });
});

it('what goes to the server of a failure is one printable line of bounded length', () => {
  const { detail } = failed('x', `a\u001b[2J\n${'y'.repeat(1000)}\u202e`);
  expect(detail).toMatch(/^a \[2J y+$/);
  expect(detail).toHaveLength(500);
});
