import { execFileSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openTpm, tpmCardMaker } from '@cardwright/agent';
import type { ImportableAlgorithm, ProposedReplacement } from '@cardwright/vault';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Device, newDevice } from '../../support/device.ts';
import { behindTheGuards, importedCard, query, tpmCard } from './keyed-card.ts';
import { type OwnVault, ownVault } from './own-vault.ts';
import { sealed } from './sealing.ts';
import { softParent } from './soft-parent.ts';
import { caller, codeOf } from './vault-process.ts';

let client: OwnVault['client'];
let database: OwnVault['database'];
beforeAll(async () => {
  const own = await ownVault();
  ({ client, database } = own);
  return () => own.end();
});

const DEFAULT = '010203040506070801020304050607080102030405060708';
const CHALLENGE = Buffer.from('0123456789abcdef0123456789abcdef', 'hex');

type Options = { strategy?: 'random-stored' | 'deterministic'; algorithm?: ImportableAlgorithm; to?: Uint8Array };
const propose = (cardId: string, { strategy = 'random-stored', algorithm, to }: Options = {}) =>
  client.proposeReplacement({
    ...{ ...caller, cardId, strategy, parentPublic: to ?? softParent().public },
    ...(algorithm === undefined ? {} : { algorithm }),
  });
const confirm = (cardId: string, keyVersion: number) => client.confirmChange({ ...caller, cardId, keyVersion });
const answer = async (cardId: string, keyVersion: number) => {
  const asked = { ...caller, cardId, keyVersion, challenge: CHALLENGE, mode: 'ecb' } as const;
  return Buffer.from((await client.answerChallenge(asked)).response).toString('hex');
};
/** What the card would answer, by openssl. */
function answered(key: Buffer, algorithm: ImportableAlgorithm): string {
  const cipher = algorithm === 'tdes' ? 'des-ede3' : `${algorithm}-ecb`;
  const args = ['enc', `-${cipher}`, '-K', key.toString('hex'), '-nopad'];
  return execFileSync('openssl', args, { input: CHALLENGE, stdio: ['pipe', 'pipe', 'ignore'] }).toString('hex');
}

describe.each(['random-stored', 'deterministic'] as const)('a %s replacement', (strategy) => {
  it.each(['tdes', 'aes-128', 'aes-192', 'aes-256'] as const)(
    'for %s: both keys answer while it is not confirmed, and afterwards the new one alone',
    async (algorithm) => {
      const { cardId, key } = await importedCard(client);
      const parent = softParent();
      const made = await propose(cardId, { strategy, algorithm, to: parent.public });
      const replacement = parent.unwrap(made).key;
      expect([made.keyVersion, made.algorithm]).toEqual([2, algorithm]);
      expect(await answer(cardId, 1)).toBe(answered(key, 'tdes'));
      expect(await answer(cardId, 2)).toBe(answered(replacement, algorithm));
      await confirm(cardId, 2);
      expect(await answer(cardId, 2)).toBe(answered(replacement, algorithm));
      expect(await codeOf(answer(cardId, 1))).toBe('conflict administrator-key-superseded');
      const [row] = await query(
        database.ownerUrl,
        'SELECT sealed, kek_version, state FROM vault.administrator_keys WHERE card_id = $1 AND key_version = 1',
        [cardId],
      );
      expect(row).toEqual({ sealed: null, kek_version: null, state: 'superseded' });
    },
  );

  it('has the algorithm of the key before unless another is asked for, and can be replaced itself', async () => {
    const { cardId } = await importedCard(client, 'aes-256');
    for (let version = 2; version <= 4; version++) {
      expect(await propose(cardId, { strategy })).toMatchObject({ keyVersion: version, algorithm: 'aes-256' });
      await confirm(cardId, version);
    }
    expect(
      new Set(await Promise.all([propose(cardId), propose(cardId)].map(async (one) => (await one).kcv))).size,
    ).toBe(2);
  });
});

describe('no replacement', () => {
  it('is made for a card without a confirmed key, or for one in a TPM', async () => {
    expect(await codeOf(propose(randomUUID()))).toBe('not-found administrator-key-unknown');
    expect(await codeOf(propose((await tpmCard(client)).cardId))).toBe('unprocessable administrator-key-algorithm');
  });

  it('answers before it is confirmed if it was not made as one: a first key of a card does not', async () => {
    const { cardId } = await importedCard(client);
    await behindTheGuards(
      database,
      `UPDATE vault.administrator_keys SET state = 'proposed', confirmed_at = NULL WHERE card_id = '${cardId}'`,
    );
    expect(await codeOf(answer(cardId, 1))).toBe('conflict administrator-key-not-confirmed');
  });

  it.each([
    ['another check value', "kcv = '000000'"],
    ['another predecessor', 'predecessor = NULL'],
    ['another algorithm', "algorithm = 'aes-192'"],
    ['another version', 'key_version = 3'],
  ])('opens, or is confirmed, with %s in its row', async (_, change) => {
    const { cardId, key } = await importedCard(client);
    await propose(cardId);
    await behindTheGuards(
      database,
      `UPDATE vault.administrator_keys SET ${change} WHERE card_id = '${cardId}' AND key_version = 2`,
    );
    const version = change.startsWith('key_version') ? 3 : 2;
    const state = change.startsWith('predecessor')
      ? 'conflict administrator-key-not-confirmed'
      : 'internal vault-blob-invalid';
    expect(await codeOf(answer(cardId, version))).toBe(state);
    expect(await codeOf(confirm(cardId, version))).toMatch(/vault-blob-invalid|administrator-key-not-proposed/);
    expect(await answer(cardId, 1)).toBe(answered(key, 'tdes'));
  });
});

describe('a card that is taken over', () => {
  const importDefault = async (takeOver: boolean | undefined, text = DEFAULT) => {
    const cardId = randomUUID();
    const jwe = await sealed(await client.importKey(), text, 'CW-1');
    const card = { ...caller, cardId, cardSerial: 'CW-1', algorithm: 'tdes', jwe } as const;
    const imported = await client.importAdministratorKey(takeOver === undefined ? card : { ...card, takeOver });
    return { cardId, ...imported };
  };

  it('may have the default key, which others may not, and gets one of its own', async () => {
    for (const not of [undefined, false] as const) {
      expect(await codeOf(importDefault(not))).toBe('unprocessable administrator-key-default');
    }
    const { cardId, kcv } = await importDefault(true);
    expect(kcv).toBe('B073DC');
    expect(await answer(cardId, 1)).toBe(answered(Buffer.from(DEFAULT, 'hex'), 'tdes'));
    const made = await propose(cardId);
    await confirm(cardId, made.keyVersion);
    expect(await answer(cardId, 2)).not.toBe(answered(Buffer.from(DEFAULT, 'hex'), 'tdes'));
    const short = importDefault(true, DEFAULT.slice(1));
    expect(await codeOf(short)).toBe('unprocessable administrator-key-odd-length');
  });

  it('may be one of many with the default key: they are no duplicates, and the others of the batch are judged as ever', async () => {
    const to = await client.importKey();
    const line = async (text: string, takeOver?: boolean) => ({
      ...({ cardId: randomUUID(), cardSerial: 'CW-1', algorithm: 'tdes', origin: null, kcv: null, puk: null } as const),
      ...{ jwe: await sealed(to, text, 'CW-1') },
      ...(takeOver === undefined ? {} : { takeOver }),
    });
    const own = randomBytes(24).toString('hex');
    const lines = [await line(DEFAULT, true), await line(DEFAULT, true), await line(own, true), await line(DEFAULT)];
    const batch = { ...caller, batchId: randomUUID(), dryRun: false, acceptDuplicates: false };
    const refused = await client.importBatch({ ...batch, lines });
    expect(refused.lines.map(({ code, duplicate }) => [code, duplicate])).toEqual([
      [null, false],
      [null, false],
      [null, false],
      ['administrator-key-default', false],
    ]);
    const stored = { ...batch, lines: lines.slice(0, 3) };
    expect((await client.importBatch(stored)).stored).toBe(true);
    expect((await client.importBatch(stored)).stored).toBe(true);
    const [first, ...others] = stored.lines;
    const changed = { ...stored, lines: [{ ...first, takeOver: false } as (typeof lines)[0], ...others] };
    expect(await codeOf(client.importBatch(changed))).toBe('conflict import-batch-reused');
  });
});

describe('a TPM', () => {
  let device: Device;
  let cardId: string;
  beforeAll(async () => {
    device = await newDevice();
    ({ cardId } = await importedCard(client));
  }, 30_000);
  afterAll(() => device?.remove());

  const tool = (name: string, ...args: string[]) =>
    execFileSync(name, args, {
      cwd: device.directory,
      env: { PATH: process.env.PATH, TPM2TOOLS_TCTI: device.tpm.tcti },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  /** What tpm2-tools unseal under a primary key of theirs. */
  function unsealed(folder: string, made: ProposedReplacement, parent: string): Buffer {
    const at = (file: string) => join(device.directory, folder, file);
    mkdirSync(join(device.directory, folder));
    for (const part of ['public', 'duplicate', 'inSymSeed'] as const) writeFileSync(at(part), made[part]);
    tool(
      'tpm2_import',
      '-C',
      parent,
      '-u',
      at('public'),
      '-i',
      at('duplicate'),
      '-s',
      at('inSymSeed'),
      '-r',
      at('private'),
    );
    tool('tpm2_flushcontext', '-t');
    tool('tpm2_load', '-C', parent, '-u', at('public'), '-r', at('private'), '-c', at('object'));
    tool('tpm2_flushcontext', '-t');
    const key = tool('tpm2_unseal', '-c', at('object'));
    tool('tpm2_flushcontext', '-t');
    return key;
  }

  it.each(['ecc', 'rsa'])('with an %s storage key takes it in by tpm2-tools, and unseals the key', async (kind) => {
    const parent = join(device.directory, `${kind}.ctx`);
    tool('tpm2_createprimary', '-C', 'o', '-G', `${kind === 'ecc' ? 'ecc256' : 'rsa2048'}:aes128cfb`, '-c', parent);
    tool('tpm2_readpublic', '-c', parent, '-o', `${parent}.pub`);
    tool('tpm2_flushcontext', '-t');
    const made = await propose(cardId, { to: readFileSync(`${parent}.pub`) });
    const key = unsealed(kind, made, parent);
    expect(answered(key, 'tdes')).toBe(await answer(cardId, made.keyVersion));
    expect(answered(key, 'tdes').slice(0, 16)).not.toBe(await answer(cardId, 1));
  });

  it('of another device does not take it in', async () => {
    const parent = join(device.directory, 'mine.ctx');
    tool('tpm2_createprimary', '-C', 'o', '-G', 'ecc256:aes128cfb', '-c', parent);
    tool('tpm2_flushcontext', '-t');
    const made = await propose(cardId);
    expect(() => unsealed('other', made, parent)).toThrow(/tpm2_import/);
  });

  it('takes it in by raw commands, under the storage key that the agent names, and gives the bytes to Unseal', async () => {
    const tpm = await openTpm(device.tpm.tcti);
    const maker = tpmCardMaker(tpm);
    try {
      const made = await propose(cardId, { to: (await maker.parent()).public });
      const key = await unsealRaw(tpm, made);
      expect(answered(Buffer.from(key), 'tdes')).toBe(await answer(cardId, made.keyVersion));
    } finally {
      await maker.close();
    }
  });
});

type Tpm = Awaited<ReturnType<typeof openTpm>>;

/** TPM2_Import, TPM2_Load and TPM2_Unseal (Part 3, 13.3, 12.2 and 12.7) with empty authorisations. */
async function unsealRaw(tpm: Tpm, made: ProposedReplacement): Promise<Uint8Array> {
  const { importObject, StorageRoots, withLoaded, EMPTY_AUTH } = await import('../../../agent/dist/tpm/index.js');
  const roots = new StorageRoots(tpm);
  const root = await roots.current();
  const object = await importObject(tpm, root, made);
  return withLoaded(tpm, root, object, async (loaded) => {
    const given = await tpm.run({ code: 0x015e, handles: [loaded], authorizers: [EMPTY_AUTH] });
    return given.parameters.sized(128, 'sealed data');
  });
}
