import { randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { type OwnVault, ownVault } from './own-vault.ts';
import { sealed } from './sealing.ts';
import { caller, codeOf } from './vault-process.ts';

let client: OwnVault['client'];
let database: OwnVault['database'];
beforeAll(async () => {
  const own = await ownVault();
  ({ client, database } = own);
  return () => own.end();
});

const SERIAL = 'VSC-00042';
const sealedPuk = async (puk: string, header = { typ: 'puk' }) => sealed(await client.importKey(), puk, SERIAL, header);
const store = async (cardId: string, jwe: string) => client.importPuk({ ...caller, cardId, cardSerial: SERIAL, jwe });

async function owner(sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  const reader = new pg.Client({ connectionString: database.ownerUrl });
  await reader.connect();
  try {
    return (await reader.query(sql, values)).rows;
  } finally {
    await reader.end();
  }
}

describe('a PUK', () => {
  it('is shown once, to one of many who ask at once, and each of them is in the record', async () => {
    const cardId = randomUUID();
    await store(cardId, await sealedPuk('48213907'));
    await store(cardId, await sealedPuk('48213907'));
    expect(await codeOf(store(cardId, await sealedPuk('11112222')))).toBe('conflict puk-stored');
    const asked = Array.from({ length: 8 }, (_, at) =>
      client.showPuk({ requestedBy: `op-${at}`, requestId: 'r', cardId }),
    );
    const shown = (await Promise.allSettled(asked)).flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(shown).toEqual([{ puk: '48213907' }]);
    expect(await codeOf(client.showPuk({ ...caller, cardId }))).toBe('conflict puk-already-shown');
    const uses = await owner(`SELECT outcome FROM vault.uses WHERE card_id = $1 AND operation = 'puk.show'`, [cardId]);
    expect(uses.map((use) => use.outcome).sort()).toEqual(['done', ...Array(8).fill('puk-already-shown')]);
    expect(JSON.stringify(await owner('SELECT * FROM vault.secrets'))).not.toContain('48213907');
  });

  it('that comes with the key of its card is stored with it, or neither is', async () => {
    const [cardId, key, to] = [randomUUID(), randomBytes(24).toString('hex'), await client.importKey()];
    const puk = async (text: string) => ({ cardSerial: SERIAL, jwe: await sealedPuk(text) });
    const take = async (text: string, its?: { cardSerial: string; jwe: string }) =>
      client.importAdministratorKey({
        ...{ ...caller, cardId, cardSerial: SERIAL, algorithm: 'tdes', jwe: await sealed(to, text, SERIAL) },
        ...(its === undefined ? {} : { puk: its }),
      });
    const held = async () =>
      owner(
        `SELECT (SELECT count(*) FROM vault.administrator_keys WHERE card_id = $1)::int AS keys,
          (SELECT count(*) FROM vault.secrets WHERE card_id = $1)::int AS puks`,
        [cardId],
      );
    const refused = [
      ['zz'.repeat(24), await puk('48213907'), 'unprocessable administrator-key-not-hex'],
      [key, await puk('1'), 'unprocessable puk-malformed'],
      [
        key,
        { cardSerial: 'VSC-2', jwe: await sealedPuk('48213907') },
        'unprocessable administrator-key-sealed-for-another-card',
      ],
    ] as const;
    for (const [text, its, code] of refused) expect(await codeOf(take(text, its))).toBe(code);
    expect(await held()).toEqual([{ keys: 0, puks: 0 }]);
    const first = await Promise.all([take(key, await puk('48213907')), take(key, await puk('48213907'))]);
    expect(first[0]).toEqual(first[1]);
    expect(await held()).toEqual([{ keys: 1, puks: 1 }]);
    expect(await codeOf(take(key, await puk('11112222')))).toBe('conflict puk-stored');
    expect(await client.showPuk({ ...caller, cardId })).toEqual({ puk: '48213907' });
    const uses = await owner(`SELECT operation FROM vault.uses WHERE card_id = $1 AND outcome = 'done' ORDER BY id`, [
      cardId,
    ]);
    expect(uses[0]).toEqual({ operation: 'key.import' });
  });

  it('is not stored with a key that the card has without it, unless it is the same key', async () => {
    const [cardId, key, to] = [randomUUID(), randomBytes(24).toString('hex'), await client.importKey()];
    const take = async (text: string, puk?: string) =>
      client.importAdministratorKey({
        ...{ ...caller, cardId, cardSerial: SERIAL, algorithm: 'tdes', jwe: await sealed(to, text, SERIAL) },
        ...(puk === undefined ? {} : { puk: { cardSerial: SERIAL, jwe: await sealedPuk(puk) } }),
      });
    await take(key);
    const other = take(randomBytes(24).toString('hex'), '48213907');
    expect(await codeOf(other)).toBe('conflict administrator-key-confirmed');
    expect(await codeOf(client.showPuk({ ...caller, cardId }))).toBe('not-found puk-unknown');
    await take(key, '48213907');
    expect(await client.showPuk({ ...caller, cardId })).toEqual({ puk: '48213907' });
    // One that came before the key, as cms used to send it, is the card's as well.
    const before = randomUUID();
    await store(before, await sealedPuk('48213907'));
    const both = async (puk: string) =>
      client.importAdministratorKey({
        ...{ ...caller, cardId: before, cardSerial: SERIAL, algorithm: 'tdes', jwe: await sealed(to, key, SERIAL) },
        puk: { cardSerial: SERIAL, jwe: await sealedPuk(puk) },
      });
    expect(await codeOf(both('11112222'))).toBe('conflict puk-stored');
    await both('48213907');
    expect(await client.describeKeys({ ...caller, cardId: before })).toHaveLength(1);
  });

  it.each([
    ['too short', '123'],
    ['with a space', '1234 5678'],
    ['that is not ASCII', 'ключ-1234'],
    ['too long', 'x'.repeat(128)],
  ])('%s is refused: puk-malformed', async (_what, puk) => {
    expect(await codeOf(store(randomUUID(), await sealedPuk(puk)))).toBe('unprocessable puk-malformed');
  });

  it('is not there for a card that has none', async () => {
    expect(await codeOf(client.showPuk({ ...caller, cardId: randomUUID() }))).toBe('not-found puk-unknown');
  });

  it('is no way to an administrator key: a hostile cms hands in the seal of a key', async () => {
    const key = randomBytes(24).toString('hex');
    for (const header of [{}, { typ: 'administrator-key' }, { typ: 'uniform-key' }]) {
      const jwe = await sealed(await client.importKey(), key, SERIAL, header);
      expect(await codeOf(store(randomUUID(), jwe))).toBe('unprocessable administrator-key-sealed-as-another-kind');
    }
    const jwe = await sealedPuk('12345678');
    const asKey = { ...caller, cardId: randomUUID(), cardSerial: SERIAL, algorithm: 'tdes', jwe } as const;
    expect(await codeOf(client.importAdministratorKey(asKey))).toBe(
      'unprocessable administrator-key-sealed-as-another-kind',
    );
  });

  it('is no way to an administrator key: who writes the rows gives the PUK the blob of the key', async () => {
    const cardId = randomUUID();
    const jwe = await sealed(await client.importKey(), randomBytes(24).toString('hex'), SERIAL);
    await client.importAdministratorKey({ ...caller, cardId, cardSerial: SERIAL, algorithm: 'tdes', jwe });
    await store(cardId, await sealedPuk('12345678'));
    await owner('ALTER TABLE vault.secrets DISABLE TRIGGER USER');
    await owner(
      `UPDATE vault.secrets s SET id = k.card_id, sealed = k.sealed, kek_version = k.kek_version
        FROM vault.administrator_keys k WHERE k.card_id = $1 AND s.card_id = $1`,
      [cardId],
    );
    await owner('ALTER TABLE vault.secrets ENABLE TRIGGER USER');
    expect(await codeOf(client.showPuk({ ...caller, cardId }))).toBe('internal vault-blob-invalid');
  });
});
