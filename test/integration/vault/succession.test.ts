import { randomBytes, randomUUID } from 'node:crypto';
import { pinIndex, successorPolicies } from '@cardwright/protocol/tpm';
import type { TpmStrategy } from '@cardwright/vault';
import { beforeAll, describe, expect, it } from 'vitest';
import { behindTheGuards, importedCard, type KeyedCard, NV, query, tpmCard } from './keyed-card.ts';
import { type OwnVault, ownVault } from './own-vault.ts';
import { hmac, policySigned, sha256, softParent, writeCpHash } from './soft-parent.ts';
import { caller, codeOf, startVault } from './vault-process.ts';

let client: OwnVault['client'];
let database: OwnVault['database'];
let files: OwnVault['files'];
beforeAll(async () => {
  const own = await ownVault();
  ({ client, database, files } = own);
  return () => own.end();
});

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const propose = ({ cardId, parent }: KeyedCard, strategy: TpmStrategy = 'random-stored') =>
  client.proposeSuccessor({ ...caller, cardId, strategy, parentPublic: parent.public });
const confirm = (cardId: string, keyVersion: number) => client.confirmChange({ ...caller, cardId, keyVersion });
const reset = (cardId: string, keyVersion: number, nvIndex = NV) =>
  client.resetTpmCard({
    ...{ ...caller, cardId, keyVersion, nvIndex },
    ...{ resetNonce: Buffer.alloc(16, 1), writeNonce: Buffer.alloc(16, 2) },
  });
const states = async (cardId: string) =>
  (await client.describeKeys({ ...caller, cardId })).map(({ keyVersion, state }) => `${keyVersion} ${state}`);
const rowOf = async (cardId: string, keyVersion: number) =>
  (
    await query(database.ownerUrl, 'SELECT * FROM vault.administrator_keys WHERE card_id = $1 AND key_version = $2', [
      cardId,
      keyVersion,
    ])
  )[0] ?? {};

describe.each(['random-stored', 'deterministic'] as const)('a %s successor', (strategy) => {
  it('is approved by the key before it, and answers for the index that was founded by that one', async () => {
    const card = await tpmCard(client, strategy);
    const made = await propose(card, strategy);
    const { key, seedValue } = card.parent.unwrap(made);
    expect(made.keyVersion).toBe(2);
    expect(key.equals(card.key)).toBe(false);
    expect(Buffer.from(made.public).subarray(-32).equals(sha256(seedValue, key))).toBe(true);
    const self = Buffer.from('card:self');
    expect(hex(made.approval.approvedPolicy)).toBe(hex(successorPolicies(made.name).policy));
    const approval = hmac(card.key, sha256(Buffer.from(made.approval.approvedPolicy), self));
    expect(hex(made.approval.signature)).toBe(hex(approval));
    const rehearsal = hmac(key, sha256(Buffer.from(made.rehearsal.approvedPolicy), self));
    expect(hex(made.rehearsal.signature)).toBe(hex(rehearsal));

    // The first key answers as long as the second is not confirmed; then the second alone.
    await reset(card.cardId, 1);
    expect(await codeOf(reset(card.cardId, 2))).toBe('conflict administrator-key-not-confirmed');
    await confirm(card.cardId, 2);
    expect(await states(card.cardId)).toEqual(['1 superseded', '2 confirmed']);
    expect(await codeOf(reset(card.cardId, 1))).toBe('conflict administrator-key-superseded');
    const answers = await reset(card.cardId, 2);
    const index = pinIndex({ nvIndex: NV, administratorKeyName: card.name });
    expect(hex(answers.resetAnswer)).toBe(policySigned(key, Buffer.alloc(16, 1), Buffer.alloc(0), 'card:reset'));
    const written = writeCpHash(index.writtenName, 5);
    expect(hex(answers.writeAnswer)).toBe(policySigned(key, Buffer.alloc(16, 2), written, 'card:write'));
    expect(await codeOf(reset(card.cardId, 2, NV + 1))).toBe('unprocessable nv-index-not-of-this-card');
  });

  it('never signs a first write, and is not confirmed as a first key', async () => {
    const card = await tpmCard(client, strategy);
    await propose(card, strategy);
    const firstWrite = () =>
      client.signFirstWrite({ ...caller, cardId: card.cardId, keyVersion: 2, nvIndex: NV, nonce: randomBytes(16) });
    expect(await codeOf(firstWrite())).toBe('conflict administrator-key-confirmed');
    expect(await codeOf(client.confirmKey({ ...caller, cardId: card.cardId, keyVersion: 2 }))).toBe(
      'conflict administrator-key-confirmed',
    );
    // Nor when the owner of the database makes it look like a card that has none yet.
    await behindTheGuards(
      database,
      `UPDATE vault.administrator_keys SET state = 'proposed', confirmed_at = NULL WHERE card_id = '${card.cardId}'`,
    );
    expect(await codeOf(firstWrite())).toBe('conflict administrator-key-confirmed');
  });
});

describe('a change', () => {
  it('destroys what is sealed of the key before, and of what came to nothing, in the act that confirms, and not before', async () => {
    const card = await tpmCard(client);
    for (let n = 0; n < 3; n++) await propose(card);
    const before = await Promise.all([1, 2, 3, 4].map(async (n) => (await rowOf(card.cardId, n)).sealed !== null));
    expect(before).toEqual([true, true, true, true]);
    await confirm(card.cardId, 3);
    expect(await states(card.cardId)).toEqual(['1 superseded', '2 superseded', '3 confirmed', '4 superseded']);
    const after = await Promise.all([1, 2, 3, 4].map(async (n) => (await rowOf(card.cardId, n)).sealed !== null));
    expect(after).toEqual([false, false, true, false]);
    await reset(card.cardId, 3);
  });

  it('is confirmed once, again with the same answer, and no other version after it', async () => {
    const card = await tpmCard(client);
    await propose(card);
    await propose(card);
    expect(await codeOf(confirm(card.cardId, 9))).toBe('not-found administrator-key-unknown');
    expect(await codeOf(confirm(card.cardId, 1))).toBe('conflict administrator-key-not-proposed');
    await confirm(card.cardId, 2);
    await confirm(card.cardId, 2);
    expect(await codeOf(confirm(card.cardId, 3))).toBe('conflict administrator-key-superseded');
    expect(await codeOf(confirm(card.cardId, 1))).toBe('conflict administrator-key-superseded');
    expect(await codeOf(client.confirmKey({ ...caller, cardId: card.cardId, keyVersion: 1 }))).toBe(
      'conflict administrator-key-confirmed',
    );
    // What is proposed after a confirmation follows the key of now.
    const next = await propose(card);
    expect(next.keyVersion).toBe(4);
    expect((await rowOf(card.cardId, 4)).predecessor).toBe(2);
  });

  it('confirmed by many at once, also by two vaults, happens once, and every one of them is answered', async () => {
    const second = await startVault(files, database.urls.vault, { socket: 'second.sock' });
    try {
      const card = await tpmCard(client);
      await propose(card);
      const asked = { ...caller, cardId: card.cardId, keyVersion: 2 };
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, n) => codeOf((n % 2 ? client : second.client).confirmChange(asked))),
      );
      expect(new Set(outcomes)).toEqual(new Set(['no error']));
      expect(await states(card.cardId)).toEqual(['1 superseded', '2 confirmed']);
    } finally {
      await second.stop();
    }
  });

  it('goes through sixteen generations, and not a seventeenth', async () => {
    const card = await tpmCard(client);
    for (let version = 2; version <= 17; version++) {
      await propose(card);
      await confirm(card.cardId, version);
    }
    await reset(card.cardId, 17);
    expect(await codeOf(propose(card))).toBe('conflict too-many-successions');
    expect((await rowOf(card.cardId, 17)).generation).toBe(16);
  }, 30_000);

  it.each([
    ['keys.add.before', ['1 confirmed']],
    ['keys.add.after', ['1 confirmed', '2 proposed']],
    ['keys.confirmChange.before', ['1 confirmed', '2 proposed']],
    ['keys.confirmChange.after', ['1 superseded', '2 confirmed']],
  ])('that is cut off at %s has a key that answers, and the same requests complete it', async (point, left) => {
    const [card, env] = [await tpmCard(client), { VAULT_FAULT_AT: point }];
    const dying = await startVault(files, database.urls.vault, { socket: 'dying.sock', env });
    const asked = { ...caller, cardId: card.cardId, keyVersion: 2 };
    const proposing = {
      ...caller,
      cardId: card.cardId,
      strategy: 'random-stored',
      parentPublic: card.parent.public,
    } as const;
    const cut = dying.client.proposeSuccessor(proposing).then(() => dying.client.confirmChange(asked));
    expect(await codeOf(cut)).toMatch(/^unavailable /);
    await dying.kill();
    expect(await states(card.cardId)).toEqual(left);
    await reset(card.cardId, left[0] === '1 confirmed' ? 1 : 2);
    if (left.length === 1) await propose(card);
    await confirm(card.cardId, 2);
    await reset(card.cardId, 2);
    expect(await states(card.cardId)).toEqual(['1 superseded', '2 confirmed']);
  });

  it('to a key that is not kept leaves none: only a PUK or a reissue helps from then on', async () => {
    const card = await tpmCard(client);
    await propose(card, 'random-not-stored');
    const [{ held } = {}] = await query(
      database.ownerUrl,
      "SELECT count(*)::int AS held FROM vault.secrets WHERE card_id = $1 AND kind = 'transient-key'",
      [card.cardId],
    );
    expect(held).toBe(0);
    await confirm(card.cardId, 2);
    expect(await codeOf(reset(card.cardId, 2))).toBe('conflict administrator-key-not-stored');
    expect(await codeOf(propose(card))).toBe('conflict administrator-key-not-stored');
  });
});

describe('no successor is proposed', () => {
  it('for a card without a confirmed key, with one that is not kept, or that is not in a TPM', async () => {
    const parentPublic = softParent().public;
    const of = (cardId: string) =>
      client.proposeSuccessor({ ...caller, cardId, strategy: 'random-stored', parentPublic });
    expect(await codeOf(of(randomUUID()))).toBe('not-found administrator-key-unknown');
    const cardId = randomUUID();
    await client.makeKeyForTpm({ ...caller, cardId, strategy: 'random-stored', parentPublic, pinLimit: 5 });
    expect(await codeOf(of(cardId))).toBe('not-found administrator-key-unknown');
    const dropped = await tpmCard(client, 'random-not-stored');
    expect(await codeOf(propose(dropped))).toBe('conflict administrator-key-not-stored');
    expect(await codeOf(of((await importedCard(client)).cardId))).toBe('unprocessable administrator-key-algorithm');
  });

  it('to a parent that a hostile cms names: it learns nothing, and it is in the record', async () => {
    const card = await tpmCard(client);
    const its = softParent();
    expect(await codeOf(propose({ ...card, parent: its }))).toBe('unprocessable tpm-parent-of-another-device');
    expect(await codeOf(propose({ ...card, parent: { ...its, public: randomBytes(80) } }))).toMatch(
      /tpm-(structure-malformed|parent-not-allowed)$/,
    );
    expect(await states(card.cardId)).toEqual(['1 confirmed']);
    const [{ outcome } = {}] = await query(
      database.ownerUrl,
      "SELECT outcome FROM vault.uses WHERE card_id = $1 AND operation = 'key.propose-successor' ORDER BY id LIMIT 1",
      [card.cardId],
    );
    expect(outcome).toBe('tpm-parent-of-another-device');
  });

  it('more often than a card may be answered for in an hour', async () => {
    const limited = await startVault(files, database.urls.vault, {
      socket: 'limited.sock',
      env: { VAULT_LIMIT_PER_CARD: '3' },
    });
    try {
      const card = await tpmCard(client);
      const asked = { ...caller, cardId: card.cardId, parentPublic: card.parent.public };
      const ask = () => limited.client.proposeSuccessor({ ...asked, strategy: 'random-stored' });
      for (let n = 0; n < 3; n++) await ask();
      expect(await codeOf(ask())).toBe('too-many vault-limit-reached');
      await limited.client.resetTpmCard({
        ...{ ...caller, cardId: card.cardId, keyVersion: 1, nvIndex: NV },
        ...{ resetNonce: Buffer.alloc(16, 1), writeNonce: Buffer.alloc(16, 2) },
      });
    } finally {
      await limited.stop();
    }
  });

  it('for a key from before the vault kept its parent: its row opens as ever, and that is said', async () => {
    const card = await tpmCard(client);
    await asFromBefore(card);
    await reset(card.cardId, 1);
    expect(await codeOf(propose(card))).toBe('conflict tpm-parent-unknown');
  });

  /** The row as the version before this one wrote it: sealed without parent, by its own code for such rows. */
  async function asFromBefore({ cardId }: KeyedCard): Promise<void> {
    const { openFileProvider } = await import('../../../services/vault/dist/providers/open.file.js');
    const { seal, unseal } = await import('../../../services/vault/dist/sealing.js');
    const provider = await openFileProvider(files);
    const row = await rowOf(cardId, 1);
    const facts = {
      ...{ cardId, keyVersion: 1, algorithm: 'hmac-sha256', strategy: 'random-stored', masterVersion: null, kcv: null },
      ...{ tpmName: row.tpm_name as Buffer, pinLimit: 5, lineage: null },
    };
    const blob = { kekVersion: row.kek_version as number, sealed: row.sealed as Buffer };
    const key = await unseal(provider, { ...facts, parentName: row.parent_name as Buffer }, blob);
    const old = await seal(provider, (count: number) => randomBytes(count), { ...facts, parentName: null }, key);
    await behindTheGuards(
      database,
      `UPDATE vault.administrator_keys SET parent_name = NULL, sealed = '\\x${hex(old.sealed)}' WHERE card_id = '${cardId}'`,
    );
    await provider.close();
  }
});
