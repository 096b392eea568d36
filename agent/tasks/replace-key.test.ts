import { DomainError, Secret } from '@cardwright/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import type { AdministeredCard } from '../card/minidriver/port.ts';
import type { CardMaker } from '../card/port.ts';
import type { Context } from '../commands/command.ts';
import { serialise } from '../store/document.ts';
import { exampleDocument } from '../store/fixture.ts';
import { Store } from '../store/store.ts';
import type { AgentTask } from './agent-task.ts';
import type { KeyOffer, ReplacementOffer, TaskResult } from './journal.ts';
import { replaceKey } from './replace-key.ts';
import type { TaskWork } from './task.ts';

/** What no card, TPM or server of ours does. With those that are: test/integration/take-over.test.ts. */
const SERVER = 'https://cards.example.org';
const [OLD, NEW] = [4, 7];
const key = new Uint8Array(Buffer.from('0102030405060708'.repeat(3), 'hex'));
const offer: ReplacementOffer = {
  ...{ kind: 'replacement', keyVersion: NEW, fromVersion: OLD, name: '000b', public: '', duplicate: '', inSymSeed: '' },
  ...{ algorithm: 'tdes', kcv: 'B073DC' },
};
const task: AgentTask = {
  ...{ taskId: 'task-1', kind: 'change-administrator-key', cardId: 'card-1', cardSerial: 'AB', cardKind: 'minidriver' },
  message: null,
};

describe('another administrator key for a card in a reader', () => {
  let text: string;
  /** What is asked of the card and of the server, in order; `!` where the card refused. */
  let seen: string[];
  /** The version of the key that the card has. */
  let has: number;
  let given: KeyOffer;
  let opened: Secret[];
  /** What the card does when it is told to take another key. */
  let take: () => void;
  beforeEach(() => {
    const document = exampleDocument();
    text = serialise({ ...document, servers: [{ ...(document.servers[0] ?? fail()), url: SERVER }] });
    [seen, opened, has, given] = [[], [], OLD, offer];
    take = () => {
      has = NEW;
    };
  });

  const store = () =>
    new Store({
      read: () => text,
      replace: (fresh) => {
        text = fresh;
        seen.push(`stored ${store().task(SERVER, task.taskId)?.state.step}`);
      },
    });

  const card: AdministeredCard = {
    challenge: async () => new Uint8Array(8),
    authenticate: async (answer) => {
      const right = answer[0] === has;
      seen.push(`${answer[0]}${right ? '' : '!'}`);
      if (!right) throw new DomainError('unprocessable', 'answer-refused-by-card', 'no');
    },
    changeAdministratorKey: async (lent) => {
      seen.push('put');
      lent.use((bytes) => expect(bytes).toEqual(key));
      take();
    },
  };

  const context = {
    readStore: store,
    changeStore: async (_directory, change) => change(store()),
    useCards: async (_tpm, act) =>
      act({
        parent: async () => ({
          public: new Uint8Array(),
          name: Buffer.from(exampleDocument().storageKeyName ?? '', 'hex'),
        }),
        openSealed: async () => {
          const secret = Secret.take(Uint8Array.from(key));
          opened.push(secret);
          return secret;
        },
      } as Partial<CardMaker> as CardMaker),
    useCardReaders: async (act) => act({ withCard: async (_serial, _reader, inside) => inside(card) }),
  } satisfies Partial<Context> as Partial<Context> as Context;

  const work = {
    ...{ context, storeDirectory: undefined, tpm: undefined, serverUrl: SERVER, log: () => undefined },
    server: {
      keyOffer: async () => given,
      cardAnswer: async (_task, { keyVersion }) => ({ response: Buffer.from([keyVersion]).toString('base64') }),
    } satisfies Partial<TaskWork['server']> as Partial<TaskWork['server']> as TaskWork['server'],
  } satisfies TaskWork;

  const run = (): Promise<TaskResult> => replaceKey()(work, task);

  it('is put when it is stored that it is going to be, and proved afterwards', async () => {
    expect(await run()).toMatchObject({ outcome: 'done', keyVersion: NEW });
    expect(seen).toEqual(['stored offered', `${OLD}`, 'stored changing', 'put', `${NEW}`]);
  });

  it('is wiped, whatever the card does', async () => {
    await run();
    has = OLD;
    text = text.replace('"changing"', '"offered"');
    take = () => {
      throw new DomainError('unavailable', 'card-removed', 'gone');
    };
    await expect(run()).rejects.toMatchObject({ code: 'card-removed' });
    expect(opened).toHaveLength(2);
    for (const secret of opened) expect(() => secret.length).toThrow('wiped');
  });

  it('is looked for first when it may be there already', async () => {
    take = () => {
      throw new DomainError('unavailable', 'card-removed', 'gone');
    };
    await expect(run()).rejects.toMatchObject({ code: 'card-removed' });
    [seen, has] = [[], NEW];
    expect(await run()).toMatchObject({ outcome: 'done', keyVersion: NEW });
    expect(seen).toEqual([`${NEW}`]);
  });

  it('is not put when its check value is another one', async () => {
    given = { ...offer, kcv: '000000' };
    expect(await run()).toMatchObject({ outcome: 'failed', code: 'sealed-key-refused', keyVersion: OLD });
    expect(seen).not.toContain('put');
    expect(() => opened[0]?.length).toThrow('wiped');
  });

  it.each<[string, Partial<ReplacementOffer>]>([
    ['for TPM cards', { algorithm: 'hmac-sha256' }],
    ['that nobody knows', { algorithm: 'des' }],
  ])('of an algorithm %s is not taken', async (_, other) => {
    given = { ...offer, ...other };
    await expect(run()).rejects.toMatchObject({ kind: 'unprocessable', code: 'key-offer-unfit' });
    expect(seen).toEqual([]);
  });

  it('that the card refuses leaves the old one, which is asked for', async () => {
    take = () => {
      throw new DomainError('unprocessable', 'key-refused-by-card', 'no');
    };
    expect(await run()).toMatchObject({ outcome: 'failed', code: 'key-refused-by-card', keyVersion: OLD });
    expect(seen.slice(-2)).toEqual(['put', `${OLD}`]);
  });

  it('that the card only says it took is not taken for done', async () => {
    take = () => undefined;
    expect(await run()).toMatchObject({ outcome: 'failed', code: 'card-kept-its-key', keyVersion: OLD });
    expect(seen.slice(-3)).toEqual(['put', `${NEW}!`, `${OLD}`]);
  });

  it('costs two wrong answers when the card has neither, and says nothing of a version', async () => {
    has = 9;
    expect(await run()).toMatchObject({ outcome: 'failed', code: 'card-refused-both-keys', keyVersion: null });
    expect(seen).toEqual(['stored offered', `${OLD}!`, `${NEW}!`]);
  });
});

function fail(): never {
  throw new Error('the example has a server');
}
