import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inRepository } from '@cardwright/infra';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../../support/database.ts';
import { type Ran, run } from '../../support/run.ts';

let database: TestDatabase;
let folder: string;
let reader: pg.Client;
beforeAll(async () => {
  database = await testDatabase();
  folder = mkdtempSync(join(tmpdir(), 'cardwright-operators-'));
  reader = new pg.Client({ connectionString: database.ownerUrl });
  await reader.connect();
});
afterAll(async () => {
  await reader?.end();
  await database?.drop();
  rmSync(folder, { recursive: true, force: true });
});

const file = (name: string) => join(folder, name);
/** With the rights of cms only. */
const operators = (...args: string[]): Promise<Ran> =>
  run(process.execPath, [inRepository('services', 'cms', 'dist', 'operators.js'), ...args], {
    env: { CMS_DATABASE_URL: database.urls.cms },
  });
const stored = async (name: string) => {
  const { rows } = await reader.query(
    `SELECT o.id, o.role, o.display_name, o.password_hash, encode(t.token_hash, 'hex') AS token_hash
      FROM operators o LEFT JOIN api_tokens t ON t.operator_id = o.id WHERE o.name = $1`,
    [name],
  );
  return rows;
};

describe('the operators command', () => {
  it('makes an operator, and a token that no one else may read; again, it changes what is said and nothing else', async () => {
    writeFileSync(file('password'), 'a password of some length\n');
    const first = await operators(
      'create',
      '--name',
      'helen',
      '--role',
      'helpdesk',
      '--display-name',
      'Helen Desk',
      '--password-file',
      file('password'),
      '--token-file',
      file('token'),
    );
    expect(first).toMatchObject({ exitCode: 0, stderr: '' });
    expect(statSync(file('token')).mode & 0o777).toBe(0o600);
    const token = readFileSync(file('token'), 'utf8');
    const [made] = await stored('helen');
    expect(made).toMatchObject({ role: 'helpdesk', display_name: 'Helen Desk' });
    expect(made.password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);

    const second = await operators('create', '--name', 'helen', '--role', 'auditor', '--token-file', file('token'));
    expect(second.exitCode).toBe(0);
    expect(readFileSync(file('token'), 'utf8')).toBe(token);
    expect(await stored('helen')).toEqual([{ ...made, role: 'auditor' }]);
    for (const text of [first.stdout, second.stdout]) expect(text).not.toContain(token);

    const events = await reader.query(
      'SELECT action, before, after FROM audit_events WHERE object_id = $1 ORDER BY id',
      [made.id],
    );
    expect(events.rows.map((row) => row.action)).toEqual(['operator.created', 'operator.changed']);
    expect(events.rows[1]).toMatchObject({
      before: { role: 'helpdesk' },
      after: { role: 'auditor', passwordSet: false, tokenSet: true },
    });
    expect(JSON.stringify(events.rows)).not.toMatch(/argon2|a password of|cwt_/);
  });

  it('signs out who knew the password before', async () => {
    writeFileSync(file('password'), 'a password of some length');
    await operators('create', '--name', 'sid', '--role', 'helpdesk', '--password-file', file('password'));
    await reader.query(
      "INSERT INTO operator_sessions (token_hash, operator_id, expires_at) SELECT 'x'::bytea, id, now() + interval '1 hour' FROM operators WHERE name = 'sid'",
    );
    await operators('create', '--name', 'sid', '--role', 'helpdesk', '--password-file', file('password'));
    expect(
      (
        await reader.query(
          "SELECT 1 FROM operator_sessions s JOIN operators o ON o.id = s.operator_id WHERE o.name = 'sid'",
        )
      ).rowCount,
    ).toBe(0);
  });

  it('makes all operators of a list, and refuses a list with something that it does not know', async () => {
    const tokenFile = file('listed-token');
    writeFileSync(
      file('list'),
      JSON.stringify([
        { name: 'lena', role: 'helpdesk', displayName: 'Lena List', tokenFile },
        { name: 'liam', role: 'auditor' },
      ]),
    );
    const ran = await operators('create', '--list', file('list'));
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await stored('lena')).toMatchObject([{ role: 'helpdesk', display_name: 'Lena List' }]);
    expect((await stored('lena'))[0].token_hash).not.toBeNull();
    expect(await stored('liam')).toMatchObject([{ role: 'auditor', token_hash: null }]);

    for (const list of ['not json', '{}', '[]', '[{"name":"new","role":"helpdesk","password":"in clear"}]']) {
      writeFileSync(file('list'), list);
      const refused = await operators('create', '--list', file('list'));
      expect(refused.exitCode).not.toBe(0);
      expect(refused.stderr).not.toContain('in clear');
    }
    expect((await operators('create', '--list', file('list'), '--name', 'new', '--role', 'helpdesk')).exitCode).toBe(2);
    expect(await stored('new')).toEqual([]);
  });

  it.each([
    ['a short password', ['--name', 'new', '--role', 'helpdesk', '--password-file', 'short'], 1, 'password-length'],
    [
      'a token that could be guessed',
      ['--name', 'new', '--role', 'helpdesk', '--token-file', 'short'],
      1,
      'holds no token',
    ],
    ['a name that looks like another', ['--name', 'Helen', '--role', 'helpdesk'], 1, 'operator-name-invalid'],
    ['a role that does not exist', ['--name', 'new', '--role', 'administrator'], 2, 'usage:'],
    ['no role', ['--name', 'new'], 2, 'usage:'],
    ['a password on the command line', ['--name', 'new', '--role', 'helpdesk', '--password', 'x'], 1, '--password'],
  ])('refuses %s and makes nothing', async (_what, args, exitCode, message) => {
    writeFileSync(file('short'), 'too short');
    const ran = await operators('create', ...args.map((arg) => (arg === 'short' ? file('short') : arg)));
    expect(ran.exitCode).toBe(exitCode);
    expect(ran.stderr).toContain(message);
    expect(ran.stderr).not.toContain('too short');
    expect(await stored('new')).toEqual([]);
  });
});
