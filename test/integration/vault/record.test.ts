import { randomBytes, randomUUID } from 'node:crypto';
import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../support/database.ts';
import { sealed } from './sealing.ts';
import {
  caller,
  codeOf,
  runVault,
  startVault,
  type VaultFiles,
  type VaultProcess,
  vaultFiles,
} from './vault-process.ts';

let database: TestDatabase;
let files: VaultFiles;

beforeEach(async () => {
  files = vaultFiles();
  database = await testDatabase();
});
afterEach(async () => {
  files.remove();
  await database.drop();
});

const start = (env: Record<string, string> = {}, socket = 'vault.sock') =>
  startVault(files, database.urls.vault, { env, socket });

/** As who owns the database: the guards are switched off, and nobody sees it. */
async function asOwner(...statements: string[]): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: database.ownerUrl });
  await client.connect();
  try {
    await client.query('ALTER TABLE vault.uses DISABLE TRIGGER USER');
    await client.query('ALTER TABLE vault.record_signatures DISABLE TRIGGER USER');
    let rows: Record<string, unknown>[] = [];
    for (const statement of statements) ({ rows } = await client.query(statement));
    return rows;
  } finally {
    await client.end();
  }
}

async function refusalAtStart(): Promise<string> {
  const { status, output } = await runVault(files, database.urls.vault);
  return `${status} ${/"code":"([a-z-]+)"/.exec(output)?.[1]}`;
}

interface Line {
  readonly kind: string;
  readonly sequence?: string;
  readonly entries?: string;
  readonly code?: string;
}
async function audit(...args: string[]): Promise<{ status: number | null; lines: Line[] }> {
  const { status, output } = await runVault(files, database.urls.vault, { args: ['audit', '--json', ...args] });
  const lines = output.trim().split('\n');
  return { status, lines: lines.map((line) => JSON.parse(line) as Line) };
}
const kinds = ({ lines }: { lines: Line[] }) => lines.map(({ kind }) => kind).filter((kind) => kind !== 'summary');

async function importCard(vault: VaultProcess): Promise<string> {
  const cardId = randomUUID();
  const jwe = await sealed(await vault.client.importKey(), randomBytes(24).toString('hex'), 'CW-1');
  await vault.client.importAdministratorKey({ ...caller, cardId, cardSerial: 'CW-1', algorithm: 'tdes', jwe });
  return cardId;
}
const ask = (vault: VaultProcess, cardId: string, requestedBy = 'operator-1') =>
  vault.client.answerChallenge({
    ...{ requestedBy, requestId: randomUUID(), cardId, keyVersion: 1 },
    ...{ challenge: randomBytes(8), mode: 'ecb' },
  });

/** A vault that has answered a few times, each in a commit of its own, and has ended. */
async function recorded(end: 'stop' | 'kill' = 'kill'): Promise<{ cardId: string; last: number }> {
  const vault = await start();
  const cardId = await importCard(vault);
  for (let n = 0; n < 7; n++) await ask(vault, cardId);
  await vault[end]();
  return { cardId, last: await lastEntry() };
}

async function lastEntry(): Promise<number> {
  const [row] = await asOwner('SELECT max(id)::int AS last FROM vault.uses');
  return row?.last as number;
}

describe('the record', () => {
  it('has one sequence without gaps and verifies, though two vaults write into it and one is killed', async () => {
    const limits = { VAULT_LIMIT_PER_CARD: '1000' };
    const [first, second] = [await start(limits), await start(limits, 'second.sock')];
    const cards = [await importCard(first), await importCard(second)] as const;
    const asked = Array.from({ length: 120 }, (_, n) => ask(n % 2 ? first : second, cards[n % 2 ? 0 : 1]));
    const imports = [importCard(first), importCard(second), importCard(first)];
    await Promise.all([...asked, ...imports]);
    const dying = Array.from({ length: 50 }, () => codeOf(ask(second, cards[1])));
    await second.kill();
    await Promise.all(dying);
    await ask(first, cards[0]);
    await first.stop();
    const [{ least, most, count }] = (await asOwner(
      'SELECT min(id)::int AS least, max(id)::int AS most, count(*)::int AS count FROM vault.uses',
    )) as [{ least: number; most: number; count: number }];
    expect([least, most]).toEqual([1, count]);
    expect(count).toBeGreaterThanOrEqual(2 + 120 + 3 + 1);
    expect(await audit()).toMatchObject({ status: 0, lines: [{ kind: 'summary', entries: String(count) }] });
  });

  it.each(['stop', 'kill'] as const)('goes on after %s', async (end) => {
    const { cardId, last } = await recorded(end);
    const vault = await start();
    await ask(vault, cardId);
    await vault.stop();
    expect(await audit()).toMatchObject({ status: 0, lines: [{ kind: 'summary', entries: String(last + 1) }] });
  });

  it('shows each answer after which the vault was killed: the checkpoint is not behind what was given', async () => {
    const { last } = await recorded();
    const of = (column: string) => `WHERE ${column} = ${last}`;
    await asOwner(`DELETE FROM vault.record_signatures ${of('through')}`, `DELETE FROM vault.uses ${of('id')}`);
    expect(await refusalAtStart()).toBe('1 vault-record-rolled-back');
  });

  it.each([
    [
      'cut off',
      ['DELETE FROM vault.uses WHERE id > 5', 'DELETE FROM vault.record_signatures WHERE through > 5'],
      'rolled-back',
    ],
    ['emptied', ['DELETE FROM vault.uses', 'DELETE FROM vault.record_signatures'], 'rolled-back'],
    [
      'altered at its end',
      ["UPDATE vault.uses SET requested_by = 'nobody', hash = sha256('x') WHERE id = $LAST"],
      'altered',
    ],
    [
      'continued by another',
      [
        'INSERT INTO vault.uses SELECT $LAST + 1, at, operation, card_id, key_version, requested_by, request_id, challenge_sha256, outcome, hash FROM vault.uses WHERE id = $LAST',
      ],
      'altered',
    ],
    ['signed by nobody', ['DELETE FROM vault.record_signatures WHERE through = $LAST'], 'unsigned'],
    [
      'signed by another',
      ["UPDATE vault.record_signatures SET signature = decode(repeat('ab', 64), 'hex') WHERE through = $LAST"],
      'unsigned',
    ],
  ])(
    'that was %s is not served, until an operator acknowledges it; then audit shows it',
    async (_, statements, code) => {
      const { cardId, last } = await recorded();
      await asOwner(...statements.map((statement) => statement.replaceAll('$LAST', String(last))));
      expect(await refusalAtStart()).toBe(`1 vault-record-${code}`);
      expect((await audit()).status).toBe(1);
      const args = ['acknowledge-record', '--by', 'the operator', '--reason', 'restored from the backup of yesterday'];
      const acknowledged = await runVault(files, database.urls.vault, { args });
      expect(acknowledged).toMatchObject({ status: 0, output: expect.stringContaining(`vault-record-${code}`) });
      expect((await runVault(files, database.urls.vault, { args })).output).toContain('nothing to acknowledge');

      const vault = await start();
      const alerts = await vault.client.alerts({ after: '0', limit: 10 });
      expect(alerts).toMatchObject([
        { code: `vault-record-${code}`, operation: 'vault.record-acknowledged', requestedBy: 'the operator' },
      ]);
      await ask(vault, cardId);
      await vault.stop();
      expect(kinds(await audit())).toContain('acknowledged');
    },
  );

  it.each([
    ['changed', ["UPDATE vault.uses SET requested_by = 'somebody else' WHERE id = 3"], ['altered']],
    ['deleted', ['DELETE FROM vault.uses WHERE id = 3'], ['missing']],
    [
      'put in',
      [
        'UPDATE vault.uses SET id = id + 100 WHERE id > 3',
        "INSERT INTO vault.uses SELECT 4, at, operation, card_id, key_version, 'me', request_id, challenge_sha256, outcome, hash FROM vault.uses WHERE id = 3",
        'UPDATE vault.uses SET id = id - 99 WHERE id > 100',
      ],
      ['altered'],
    ],
    [
      'put in another order',
      [
        'UPDATE vault.uses SET id = 103 WHERE id = 3',
        'UPDATE vault.uses SET id = 3 WHERE id = 4',
        'UPDATE vault.uses SET id = 4 WHERE id = 103',
      ],
      ['altered'],
    ],
  ])('of which an old entry was %s does not verify', async (_, statements, expected) => {
    await recorded();
    expect((await audit()).status).toBe(0);
    await asOwner(...statements);
    const found = await audit();
    expect(found.status).toBe(1);
    expect(kinds(found)).toEqual(expect.arrayContaining(expected));
  });

  it('that was hashed anew from an altered entry on has signatures that are not its', async () => {
    await recorded();
    const { entryHash } = await import('../../../services/vault/dist/record/entry.js');
    const { READ_ENTRIES, toStoredEntry } = await import('../../../services/vault/dist/uses.pg.js');
    const rows = await asOwner(READ_ENTRIES.text.replace('$1::bigint', '0').replace('$2::int', '100'));
    let before: Uint8Array = new Uint8Array(32);
    const forged = rows.map(toStoredEntry).map((entry) => {
      const use = entry.sequence === 3n ? { ...entry.use, requestedBy: 'forger' } : entry.use;
      before = entryHash(before, { ...entry, use });
      return `UPDATE vault.uses SET requested_by = '${use.requestedBy}', hash = '\\x${Buffer.from(before).toString('hex')}' WHERE id = ${entry.sequence}`;
    });
    await asOwner(...forged);
    expect(kinds(await audit())).toEqual(expect.arrayContaining(['signature-wrong', 'altered']));
    expect(await refusalAtStart()).toBe('1 vault-record-altered');
  });

  it('is not served without its checkpoint, with one that was altered, or that others may write', async () => {
    await recorded();
    const checkpoint = join(files.directory, 'record-checkpoint');
    expect(existsSync(checkpoint)).toBe(true);
    rmSync(checkpoint);
    expect(await refusalAtStart()).toBe('1 vault-record-checkpoint-missing');
    writeFileSync(checkpoint, 'x'.repeat(1024), { mode: 0o600 });
    expect(await refusalAtStart()).toBe('1 vault-record-checkpoint-invalid');
    rmSync(checkpoint);
    writeFileSync(checkpoint, '', { mode: 0o622 });
    // The mode that was asked for may be narrowed by the umask.
    chmodSync(checkpoint, 0o622);
    expect(await refusalAtStart()).toBe('1 vault-record-checkpoint-mode');
    expect(
      (await runVault(files, database.urls.vault, { args: ['acknowledge-record', '--by', 'me'] })).output,
    ).toContain('acknowledgement-incomplete');
  });

  it('altered while the vault runs stops every answer', async () => {
    const vault = await start();
    const cardId = await importCard(vault);
    await ask(vault, cardId);
    await asOwner(`UPDATE vault.uses SET hash = sha256('other') WHERE id = ${await lastEntry()}`);
    expect(await codeOf(ask(vault, cardId))).toBe('internal vault-record-altered');
    expect(await codeOf(ask(vault, cardId))).toBe('internal vault-record-altered');
    await vault.stop();
  });
});

describe('limits', () => {
  const limits = { VAULT_LIMIT_PER_CARD: '3', VAULT_LIMIT_PER_REQUESTER: '5', VAULT_LIMIT_IN_ALL: '8' };
  const REACHED = 'too-many vault-limit-reached';

  it('hold for a card, a requester and in all, also for calls at once, are recorded, alerted, and outlive a kill', async () => {
    let vault = await start(limits);
    const [one, two, three] = [await importCard(vault), await importCard(vault), await importCard(vault)];
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => codeOf(ask(vault, one))));
    expect(outcomes.filter((outcome) => outcome === 'no error')).toHaveLength(3);
    expect(outcomes.filter((outcome) => outcome === REACHED)).toHaveLength(7);
    await vault.kill();

    vault = await start(limits);
    expect(await codeOf(ask(vault, one, 'operator-2'))).toBe(REACHED);
    const asked = [ask(vault, two), ask(vault, two), ask(vault, two)].map(codeOf);
    expect((await Promise.all(asked)).toSorted()).toEqual(['no error', 'no error', REACHED]);
    for (let n = 0; n < 3; n++) await ask(vault, three, 'operator-2');
    expect(await codeOf(ask(vault, await importCard(vault), 'operator-3'))).toBe(REACHED);
    const refused = await ask(vault, one).catch((error: { data?: { retryAfterSeconds?: number } }) => error);
    expect((refused as { data: { retryAfterSeconds: number } }).data.retryAfterSeconds).toBeGreaterThan(3400);

    const alerts = await vault.client.alerts({ after: '0', limit: 100 });
    expect(new Set(alerts.map(({ code }) => code))).toEqual(new Set(['vault-limit-reached']));
    // One for a card and who asks for it; each refusal is in the record.
    expect(alerts.filter(({ cardId, requestedBy }) => cardId === one && requestedBy === 'operator-1')).toHaveLength(2);
    await expect.poll(() => vault.output()).toContain('"code":"vault-limit-reached"');
    const [, last] = [alerts[0], alerts.at(-1)];
    expect(await vault.client.alerts({ after: last?.id ?? '', limit: 100 })).toEqual([]);
    await vault.stop();
    const rows = await asOwner("SELECT 1 FROM vault.uses WHERE outcome = 'vault-limit-reached'");
    expect(rows.length).toBeGreaterThanOrEqual(11);
    expect((await audit()).status).toBe(0);
  });

  it('do not hinder what is no answer, and must be numbers', async () => {
    const vault = await start({ VAULT_LIMIT_PER_CARD: '1', VAULT_LIMIT_IN_ALL: '1' });
    const cardId = await importCard(vault);
    for (let n = 0; n < 5; n++) await vault.client.describeKeys({ ...caller, cardId });
    await ask(vault, cardId);
    expect(await codeOf(ask(vault, cardId))).toBe(REACHED);
    await vault.stop();
    for (const wrong of ['0', '-1', '1.5', 'many']) {
      const { status, output } = await runVault(files, database.urls.vault, { env: { VAULT_LIMIT_IN_ALL: wrong } });
      expect([status, output]).toEqual([1, expect.stringContaining('configuration-invalid')]);
    }
  });
});

describe('a stored key that was', () => {
  const moved = `UPDATE vault.administrator_keys a SET sealed = b.sealed FROM vault.administrator_keys b
    WHERE a.card_id = '$1' AND b.card_id = '$2'`;
  it.each([
    ['swapped for that of another card', [moved]],
    [
      'cut off',
      ["UPDATE vault.administrator_keys SET sealed = substr(sealed, 1, octet_length(sealed) - 1) WHERE card_id = '$1'"],
    ],
    [
      'altered by a bit',
      [
        "UPDATE vault.administrator_keys SET sealed = set_bit(sealed, octet_length(sealed) * 8 - 1, 1 - get_bit(sealed, octet_length(sealed) * 8 - 1)) WHERE card_id = '$1'",
      ],
    ],
    ['made that of another version', ["UPDATE vault.administrator_keys SET key_version = 2 WHERE card_id = '$1'"]],
  ])('%s does not open, and somebody is told', async (_, statements) => {
    const vault = await start();
    const [one, two] = [await importCard(vault), await importCard(vault)];
    const off = 'ALTER TABLE vault.administrator_keys DISABLE TRIGGER USER';
    await asOwner(off, ...statements.map((statement) => statement.replaceAll('$1', one).replaceAll('$2', two)));
    const [{ key_version: keyVersion }] = (await asOwner(
      `SELECT key_version FROM vault.administrator_keys WHERE card_id = '${one}'`,
    )) as [{ key_version: number }];
    const request = { ...caller, cardId: one, keyVersion, challenge: randomBytes(8), mode: 'ecb' } as const;
    expect(await codeOf(vault.client.answerChallenge(request))).toBe('internal vault-blob-invalid');
    const alerts = await vault.client.alerts({ after: '0', limit: 10 });
    expect(alerts).toMatchObject([{ code: 'vault-blob-invalid', cardId: one, operation: 'answer', ...caller }]);
    await expect.poll(() => vault.output()).toContain('"code":"vault-blob-invalid"');
    await vault.stop();
  });
});
