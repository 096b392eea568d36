import { createCipheriv, randomBytes, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registerPerson } from '../../support/people.ts';
import type { Answer } from '../../support/rest.ts';
import { run, start } from '../../support/run.ts';
import { sealKey } from '../../support/seal-key.ts';
import { startTestSystem, type TestSystem } from '../../support/system.ts';

const CLI = fileURLToPath(new URL('../../../services/cms/dist/import-cards.cli.js', import.meta.url));

let system: TestSystem;
let person: string;
let tokenFile: string;
beforeAll(async () => {
  system = await startTestSystem();
  person = (await registerPerson(system, 'Imelda Import')).userPrincipalName;
  tokenFile = join(system.data.path, 'officer-token');
  writeFileSync(tokenFile, system.tokens['security-officer'], { mode: 0o600 });
});
afterAll(() => system.remove());

const officer = () => system.as('security-officer');
const key = () => randomBytes(24).toString('hex');
const serial = () => `IMP-${randomBytes(5).toString('hex')}`;

async function send(body: string, query = '', type = 'application/x-ndjson'): Promise<Answer> {
  const answer = await fetch(`${system.url}/api/v1/card-imports${query}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${system.tokens['security-officer']}`, 'content-type': type },
    body,
  });
  return { status: answer.status, headers: answer.headers, body: await answer.json() };
}

async function line(change: Record<string, string> = {}, hex = key()): Promise<Record<string, string>> {
  const name = change.serial ?? serial();
  const administratorKey = await sealKey(system, name, hex);
  return { serial: name, person, algorithm: 'tdes', administratorKey, ...change };
}
const ndjson = (lines: readonly object[]) => lines.map((one) => JSON.stringify(one)).join('\n');

// biome-ignore lint/suspicious/noExplicitAny: what came over the wire, whatever its shape
async function finished(id: string): Promise<any> {
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    const { body } = await officer().get(`/card-imports/${id}`);
    if (body.state !== 'proposed') return body;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the import did not end');
}
const cardsOf = async (serials: readonly string[]) =>
  (await system.query('SELECT count(*)::int AS count FROM cards WHERE serial = ANY ($1)', [serials]))[0].count;

describe('an import of cards', () => {
  it('takes all of them in, answers 202 with where to look, and the cards can be unblocked', async () => {
    const hex = key();
    const lines = [await line({}, hex), await line(), await line({ cardProfile: 'minidriver-tdes' })];
    const asked = await send(ndjson(lines));
    expect(asked.status).toBe(202);
    expect(asked.headers.get('location')).toBe(`/api/v1/card-imports/${asked.body.id}`);
    const done = await finished(asked.body.id);
    expect(done).toMatchObject({ state: 'done', progress: { done: 3, total: 3 } });
    const [{ cardId }] = done.report;
    const card = (await officer().get(`/cards/${cardId}`)).body;
    expect(card).toMatchObject({ state: 'active', keyVersion: 1, keyStrategy: 'random-stored', algorithm: 'tdes' });
    const helpdesk = system.as('helpdesk');
    const { body: session } = await helpdesk.post(`/cards/${cardId}/unblock-sessions`, {
      verification: { method: 'video', evidence: 'Badge' },
      reason: 'Forgot',
    });
    const challenge = '1603EBDF1C8A2E72';
    const answer = await helpdesk.post(`/unblock-sessions/${session.id}/responses`, { challenge });
    const cipher = createCipheriv('des-ede3', Buffer.from(hex, 'hex'), null).setAutoPadding(false);
    const expected = cipher.update(Buffer.from(challenge, 'hex')).toString('hex').toUpperCase();
    expect(answer.body.response.replaceAll(' ', '')).toBe(expected);
    expect(await system.query('SELECT plan FROM card_imports WHERE id = $1', [asked.body.id])).toEqual([
      { plan: null },
    ]);
  });

  it('as CSV is read as RFC 4180 says', async () => {
    const { serial: name = '', administratorKey } = await line();
    const csv = `person,serial,"algorithm",administratorKey\r\n"${person}",${name},tdes,"${administratorKey}"\r\n`;
    const asked = await send(csv, '', 'text/csv');
    expect(await finished(asked.body.id)).toMatchObject({ state: 'done' });
    expect(await cardsOf([name])).toBe(1);
  });

  it('says line by line what is wrong, and takes in none', async () => {
    const good = await line();
    const clear = key();
    const wrong: [object, string][] = [
      [good, 'null'],
      [{ ...(await line()), administratorKey: clear }, 'administrator-key-not-sealed'],
      [await line({ serial: '!' }), 'field-invalid'],
      [await line({ person: 'nobody@example.com' }), 'person-unknown'],
      [await line({ device: 'no-such-host' }), 'device-unknown'],
      [await line({ algorithm: 'des' }), 'field-invalid'],
      [await line({ cardProfile: 'none' }), 'card-profile-unknown'],
      [{ ...good }, 'card-serial-taken'],
    ];
    const asked = await send(ndjson(wrong.map(([one]) => one)));
    const { state, report } = await finished(asked.body.id);
    expect(state).toBe('refused');
    expect(report.map(({ code }: { code: string | null }) => String(code))).toEqual(wrong.map(([, code]) => code));
    expect(report.map((one: { line: number }) => one.line)).toEqual(wrong.map((_, at) => at + 1));
    expect(await cardsOf([good.serial ?? ''])).toBe(0);
    const written = await system.query('SELECT plan, report FROM card_imports WHERE id = $1', [asked.body.id]);
    expect(JSON.stringify([asked.body, written])).not.toContain(clear.slice(0, 12));
  });

  it('flags keys that two cards share and the default key, in a dry run that changes nothing', async () => {
    const shared = key();
    const lines = [await line({}, shared), await line({}, shared), await line({}, '0102030405060708'.repeat(3))];
    const dry = await send(ndjson(lines), '?dryRun=true');
    expect(dry.status).toBe(200);
    expect(dry.body.state).toBe('refused');
    const verdicts = dry.body.report.map((one: { code: string; duplicate: boolean }) => [one.code, one.duplicate]);
    expect(verdicts).toEqual([
      [null, true],
      [null, true],
      ['administrator-key-default', false],
    ]);
    expect((await officer().get(`/card-imports/${dry.body.id}`)).status).toBe(404);
    const two = ndjson(lines.slice(0, 2));
    expect(await finished((await send(two)).body.id)).toMatchObject({ state: 'refused' });
    expect(await finished((await send(two, '?acceptDuplicates=true')).body.id)).toMatchObject({ state: 'done' });
  });

  it('under the id of its caller is one import, however often it is sent', async () => {
    const id = randomUUID();
    const lines = [await line()];
    const answers = await Promise.all(Array.from({ length: 4 }, () => send(ndjson(lines), `?id=${id}`)));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202]);
    expect(await finished(id)).toMatchObject({ state: 'done' });
    expect(await cardsOf(lines.map((one) => one.serial ?? ''))).toBe(1);
  });

  it.each([
    ['an unknown column', 'text/csv', 'serial,person,colour\nA-1,x,red\n', '422 card-import-malformed'],
    ['a row of another width', 'text/csv', 'serial,person\nA-1\n', '422 card-import-malformed'],
    ['an open quote', 'text/csv', 'serial,person\n"A-1,x\n', '422 card-import-malformed'],
    ['what is not JSON', 'application/x-ndjson', '{', '422 card-import-malformed'],
    ['nothing', 'text/csv', 'serial,person\n', '422 card-import-empty'],
    ['501 cards', 'text/csv', `serial,person\n${'A-1,x\n'.repeat(501)}`, '422 card-import-too-large'],
    [
      'JSON that looks like what is read',
      'application/json',
      '{"lines":[{"line":1,"values":{}}]}',
      '400 field-invalid',
    ],
    ['over 2 MiB', 'application/x-ndjson', ' '.repeat(2_200_000), '422 card-import-too-large'],
  ])('of %s is refused', async (_what, type, body, expected) => {
    const answer = await send(body, '', type);
    expect(`${answer.status} ${answer.body.code}`).toBe(expected);
  });
});

describe('an import that is cut off', () => {
  it('by a vault that is away and a cms that is killed is gone on with by the worker, whole', async () => {
    const lines = await Promise.all(Array.from({ length: 20 }, () => line()));
    const serials = lines.map((one) => one.serial ?? '');
    const { vault, cms } = system.processes;
    await vault.kill();
    const asked = await send(ndjson(lines));
    expect(asked.body).toMatchObject({ state: 'proposed', progress: { done: 0, total: 20 }, report: null });
    await cms.kill();
    expect(await cardsOf(serials)).toBe(0);
    await vault.start();
    await cms.start();
    await system.query(`UPDATE card_imports SET created_at = created_at - interval '1 minute' WHERE id = $1`, [
      asked.body.id,
    ]);
    expect(await finished(asked.body.id)).toMatchObject({ state: 'done', progress: { done: 20, total: 20 } });
    expect(await cardsOf(serials)).toBe(20);
  });
});

describe('the import command', () => {
  const args = (file: string, ...more: string[]) => [
    CLI,
    '--url',
    system.url,
    '--token-file',
    tokenFile,
    '--file',
    file,
    ...more,
  ];
  function write(rows: readonly string[]): string {
    const file = join(system.data.path, `${randomBytes(4).toString('hex')}.csv`);
    writeFileSync(file, `serial,person,algorithm,administratorKey\n${rows.join('\n')}\n`, { mode: 0o600 });
    return file;
  }

  it('refuses odd and short keys with line number and reason, and sends nothing', async () => {
    const file = write([
      `${serial()},${person},tdes,${key()}`,
      `${serial()},${person},tdes,${key().slice(1)}`,
      `${serial()},${person},tdes,${key().slice(8)}`,
    ]);
    const { exitCode, stderr } = await run(process.execPath, args(file));
    expect(exitCode).toBe(1);
    expect(stderr).toContain('line 3: the key has an odd number of hex digits (47)');
    expect(stderr).toContain('line 4: the key has 40 hex digits; tdes has 48');
    expect(stderr).toContain('2 of 3 lines are wrong; nothing was sent');
  });

  it('takes 5,000 cards in, killed in the middle and run again: all of them once, never half a batch', async () => {
    const serials = Array.from({ length: 5000 }, serial);
    const file = write(serials.map((name) => `${name},${person},tdes,${key()}`));
    const first = start(process.execPath, args(file, '--batch', '250'), { seconds: 120 });
    const deadline = Date.now() + 60_000;
    while (!first.output().includes('1000 of 5000') && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    first.child.kill('SIGKILL');
    await first.ended;
    expect((await cardsOf(serials)) % 250).toBe(0);
    const began = Date.now();
    const again = await run(process.execPath, ['--max-old-space-size=64', ...args(file, '--batch', '250')], {
      seconds: 120,
    });
    expect(again.stderr).toBe('');
    expect(again.exitCode).toBe(0);
    expect(await cardsOf(serials)).toBe(5000);
    const [{ count }] = await system.query(
      `SELECT count(*)::int AS count FROM vault.administrator_keys k
      JOIN cards c ON c.id = k.card_id WHERE c.serial = ANY ($1) AND k.state = 'confirmed'`,
      [serials],
    );
    expect(count).toBe(5000);
    console.log(`import of the remaining cards of 5,000: ${Date.now() - began} ms`);
  }, 180_000);
});
