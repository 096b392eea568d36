import { randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ran, refusalOf } from '../../support/run.ts';
import { everyKeyAnswers, type KeyedVault, keyedVault, nothingIsLeftToDo } from '../../support/vault-keys-faults.ts';
import { sealed } from './sealing.ts';
import { caller, codeOf } from './vault-process.ts';

let keyed: KeyedVault;
beforeAll(async () => {
  keyed = await keyedVault(40);
}, 60_000);
afterAll(() => keyed?.remove());

const active = async () => (await keyed.vault().client.health()).kekVersion;
const answer = (cardId: string) =>
  keyed
    .vault()
    .client.answerChallenge({ ...caller, cardId, keyVersion: 1, challenge: new Uint8Array(16), mode: 'ecb' });
const done = (ran: Ran) => expect(refusalOf(ran), ran.stderr).toBeNull();

/** As whoever owns the database and switches the triggers off. */
const behindTheTriggers = (statement: string) =>
  keyed.query(`ALTER TABLE vault.administrator_keys DISABLE TRIGGER USER; ${statement};
    ALTER TABLE vault.administrator_keys ENABLE TRIGGER USER`);

async function asVault(statement: string): Promise<string> {
  const client = new pg.Client({ connectionString: keyed.database.urls.vault });
  await client.connect();
  try {
    await client.query(statement);
    return 'no error';
  } catch (error) {
    return String((error as { code?: string }).code);
  } finally {
    await client.end();
  }
}

describe('a rotation of the key-encryption key', () => {
  it('re-wraps everything while the vault answers without a refusal', async () => {
    let rotating = true;
    const rotation = keyed.command(['rotate-kek'], { VAULT_BATCH_ROWS: '1' }).finally(() => {
      rotating = false;
    });
    let rounds = 0;
    while (rotating) {
      await everyKeyAnswers(keyed);
      rounds += 1;
    }
    const ran = await rotation;
    done(ran);
    expect(rounds).toBeGreaterThan(1);
    expect(ran.stdout).toContain('re-wrapped 40 of');
    await nothingIsLeftToDo(keyed);
    expect(await active()).toBe(2);
  });

  it('goes on with new keys at once, also in a vault that has not heard of it yet', async () => {
    done(await keyed.command(['rotate-kek']));
    const before = await keyed.query('SELECT count(*)::int AS count FROM vault.administrator_keys');
    const jwe = await sealed(await keyed.vault().client.importKey(), randomBytes(32).toString('hex'), 'CW-N');
    const card = { ...caller, cardId: randomUUID(), cardSerial: 'CW-N' };
    await keyed.vault().client.importAdministratorKey({ ...card, algorithm: 'aes-256', jwe });
    const rows = await keyed.query('SELECT DISTINCT kek_version FROM vault.administrator_keys');
    expect(rows).toEqual([{ kek_version: 3 }]);
    const after = await keyed.query('SELECT count(*)::int AS count FROM vault.administrator_keys');
    expect(Number(after[0]?.count)).toBe(Number(before[0]?.count) + 1);
  });

  it('is done by one process at a time', async () => {
    const holder = new pg.Client({ connectionString: keyed.database.ownerUrl });
    await holder.connect();
    await holder.query('SELECT pg_advisory_lock(72707370)');
    try {
      expect(refusalOf(await keyed.command(['rotate-kek']))).toBe('vault-keys-being-changed');
    } finally {
      await holder.end();
    }
  }, 30_000);

  it('takes no KEK away that a row still needs: an altered row is named, and stays as it is', async () => {
    const [{ cardId = '' } = {}] = keyed.keys;
    const flipped = `set_byte(sealed, 20, 255 - get_byte(sealed, 20))`;
    await behindTheTriggers(`UPDATE vault.administrator_keys SET sealed = ${flipped} WHERE card_id = '${cardId}'`);
    const ran = await keyed.command(['rotate-kek']);
    expect(refusalOf(ran)).toBe('vault-rotation-incomplete');
    expect(ran.stderr).toContain(cardId);
    expect(await codeOf(answer(cardId))).toBe('internal vault-blob-invalid');
    await behindTheTriggers(`UPDATE vault.administrator_keys SET sealed = ${flipped} WHERE card_id = '${cardId}'`);
    done(await keyed.command(['rotate-kek']));
    await everyKeyAnswers(keyed);
    await nothingIsLeftToDo(keyed);
  });

  it('without the recovery file is refused before anything is made', async () => {
    const before = await active();
    const [ran, missing] = [
      await keyed.command(['rotate-kek'], { VAULT_RECOVERY_FILE: '' }),
      await keyed.command(['rotate-kek'], { VAULT_RECOVERY_FILE: '/nowhere/recovery.json' }),
    ];
    expect([refusalOf(ran), refusalOf(missing)]).toEqual(['recovery-file-missing', 'recovery-file-missing']);
    expect(await active()).toBe(before);
  });
});

describe('a row put back', () => {
  it('from before a rotation does not open, nor does a shortened or moved one', async () => {
    const [one, two] = keyed.keys.map(({ cardId }) => cardId);
    const [row] = await keyed.query(`SELECT kek_version, encode(sealed, 'hex') AS sealed
      FROM vault.administrator_keys WHERE card_id = '${one}'`);
    done(await keyed.command(['rotate-kek']));
    // A vault that was started since has never had that KEK; one that serves forgets it at the next refresh.
    await keyed.restart();
    const put = (sealed: string, kek: unknown) =>
      behindTheTriggers(`UPDATE vault.administrator_keys SET kek_version = ${kek}, sealed = ${sealed}
        WHERE card_id = '${one}'`);
    const [now] = await keyed.query(`SELECT kek_version, encode(sealed, 'hex') AS sealed
      FROM vault.administrator_keys WHERE card_id = '${one}'`);
    const old = `decode('${row?.sealed}', 'hex')`;
    const other = `(SELECT sealed FROM vault.administrator_keys WHERE card_id = '${two}')`;
    for (const [sealed, kek] of [
      [old, row?.kek_version],
      [old, now?.kek_version],
      [other, now?.kek_version],
      ['substring(sealed FROM 1 FOR 60)', now?.kek_version],
    ] as const) {
      await put(sealed, kek);
      expect(await codeOf(answer(String(one)))).toBe('internal vault-blob-invalid');
    }
    await put(`decode('${now?.sealed}', 'hex')`, now?.kek_version);
    await everyKeyAnswers(keyed);
  });
});

describe('the database', () => {
  const refused = async (statement: string) => expect(await asVault(statement), statement).toBe('23001');

  it('lets the vault re-wrap, and change nothing else', async () => {
    const version = await active();
    await refused('UPDATE vault.administrator_keys SET sealed = sealed || sealed');
    await refused(
      `UPDATE vault.administrator_keys SET kek_version = ${version}, pin_limit = 9, sealed = sealed || sealed`,
    );
    expect(await asVault(`UPDATE vault.administrator_keys SET kek_version = ${version - 1}`)).toBe('CW001');
    expect(await asVault(`UPDATE vault.administrator_keys SET kek_version = ${version + 1}`)).toBe('CW001');
    await refused('DELETE FROM vault.administrator_keys');
  });

  it('forgets no key-encryption key, and lets none go back', async () => {
    await refused('DELETE FROM vault.key_encryption_keys');
    expect(await asVault('TRUNCATE vault.key_encryption_keys')).toBe('42501');
    await refused("UPDATE vault.key_encryption_keys SET state = 'active' WHERE state = 'retired'");
    await refused("UPDATE vault.key_encryption_keys SET state = 'retired', retired_at = now() WHERE state = 'active'");
    await refused('UPDATE vault.key_encryption_keys SET destroyed_at = now() WHERE destroyed_at IS NOT NULL');
    const used = await asVault(`BEGIN; UPDATE vault.key_encryption_keys SET state = 'retiring' WHERE state = 'active';
      UPDATE vault.key_encryption_keys SET state = 'retired', retired_at = now() WHERE state = 'retiring'; COMMIT`);
    expect(used).toBe('23001');
  });
});

describe('a move to another provider', () => {
  it('is refused while the vault that serves does not have that provider open', async () => {
    await keyed.restart({ VAULT_PKCS11_MODULE: '' });
    const ran = await keyed.command(['move-provider', '--to', 'pkcs11']);
    expect(refusalOf(ran)).toBe('vault-provider-not-open');
    expect(refusalOf(await keyed.command(['move-provider', '--to', 'pkcs11'], { VAULT_PKCS11_MODULE: '' }))).toBe(
      'configuration-invalid',
    );
    expect((await keyed.command(['move-provider', '--to', 'moon'])).exitCode).toBe(2);
    await keyed.restart();
  });

  it('into the token keeps every answer; and back is refused, because a token gives nothing out', async () => {
    done(await keyed.command(['move-provider', '--to', 'pkcs11']));
    await everyKeyAnswers(keyed);
    const back = await keyed.command(['move-provider', '--to', 'file'], { VAULT_PROVIDER: 'pkcs11' });
    expect(refusalOf(back)).toBe('vault-master-secret-not-extractable');
    await everyKeyAnswers(keyed);
    done(await keyed.command(['rotate-kek'], { VAULT_PROVIDER: 'pkcs11', VAULT_KEYS_FILE: '' }));
    await everyKeyAnswers(keyed);
    const gone = await keyed.command(['rotate-kek'], { VAULT_PKCS11_MODULE: '' });
    expect(refusalOf(gone)).toBe('vault-kek-missing');
  });
});
