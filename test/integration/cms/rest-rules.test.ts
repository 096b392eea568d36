import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Person, registerPerson } from '../../support/people.ts';
import { type Answer, rest } from '../../support/rest.ts';
import { changePerson } from '../../support/software-cards.ts';
import { startTestSystem, type TestSystem } from '../../support/system.ts';
import { expectStatus } from './raw-device.ts';

let system: TestSystem;
beforeAll(async () => {
  system = await startTestSystem();
});
afterAll(() => system.remove());

const helpdesk = () => system.as('helpdesk');
const newPerson = () => ({ displayName: 'Mary Major', userPrincipalName: `m.${randomUUID()}@corp.example` });
const raw = (path: string, init: RequestInit = {}) =>
  fetch(`${system.url}${path}`, {
    ...init,
    headers: { authorization: `Bearer ${system.tokens.helpdesk}`, ...init.headers },
  });
const refusal = ({ status, body }: Answer) => `${status} ${body.code}`;

describe('a body', () => {
  it.each([
    ['a field that is not known', { ...newPerson(), role: 'auditor' }, 'field-unknown', '/role'],
    ['a field that is missing', { displayName: 'Mary Major' }, 'field-invalid', '/userPrincipalName'],
    ['a field of the wrong type', { ...newPerson(), displayName: 5 }, 'field-invalid', '/displayName'],
    ['a field that is empty', { ...newPerson(), displayName: '  ' }, 'field-invalid', '/displayName'],
    ['a field that is too long', { ...newPerson(), displayName: 'x'.repeat(201) }, 'field-invalid', '/displayName'],
    ['a line end in a name', { ...newPerson(), displayName: 'Mary\r\nMajor' }, 'field-invalid', '/displayName'],
    ['a NUL in a name', { ...newPerson(), displayName: 'Mary\u0000Major' }, 'field-invalid', '/displayName'],
    ['no address', { ...newPerson(), email: 'nobody' }, 'field-invalid', '/email'],
    ['an array', [newPerson()], 'field-invalid', ''],
    ['nothing', null, 'field-invalid', ''],
  ])('with %s is refused, and the field is named', async (_what, body, code, pointer) => {
    const answer = await helpdesk().post('/people', body);
    expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(refusal(answer)).toBe(`400 ${code}`);
    expect(answer.body).toMatchObject({ type: 'about:blank', title: 'Bad Request', status: 400 });
    expect(answer.body.requestId).toBe(answer.headers.get('x-request-id'));
    expect(answer.body.errors.map((error: { pointer: string }) => error.pointer)).toContain(pointer);
  });

  it('is not read as numbers or null where text is asked for, and nothing is set by stealth (mass assignment)', async () => {
    for (const extra of [
      { id: randomUUID() },
      { createdAt: '2001-01-01T00:00:00Z' },
      { version: 7 },
      { __proto__x: 1 },
    ]) {
      expect(refusal(await helpdesk().post('/people', { ...newPerson(), ...extra }))).toBe('400 field-unknown');
    }
  });

  it.each([
    ['is not JSON', '{"displayName":', 'application/json', '400 field-invalid'],
    ['would poison a prototype', '{"__proto__":{"admin":true}}', 'application/json', '400 field-invalid'],
    [
      'is a form of a web page',
      'displayName=x&userPrincipalName=y@z',
      'application/x-www-form-urlencoded',
      '415 media-type-not-supported',
    ],
    ['is plain text', JSON.stringify(newPerson()), 'text/plain', '415 media-type-not-supported'],
    [
      'is too large',
      JSON.stringify({ ...newPerson(), displayName: 'x'.repeat(70_000) }),
      'application/json',
      '413 body-too-large',
    ],
  ])('that %s is refused', async (_what, body, contentType, expected) => {
    const answer = await raw('/api/v1/people', { method: 'POST', body, headers: { 'content-type': contentType } });
    const problem = (await answer.json()) as { code: string };
    expect(`${answer.status} ${problem.code}`).toBe(expected);
  });

  it('says of at most twenty fields that they are wrong', async () => {
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`field${i}`, i]));
    const answer = await helpdesk().post('/people', many);
    expect(answer.body.errors).toHaveLength(20);
  });
});

describe('a query', () => {
  it.each([
    ['/people?name=x', 'field-unknown', '/query/name'],
    ['/people/00000000-0000-7000-8000-000000000000?x=1', 'field-unknown', '/query/x'],
    ['/card-profiles?x=1', 'field-unknown', '/query/x'],
    ['/people?limit=0', 'field-invalid', '/query/limit'],
    ['/people?limit=201', 'field-invalid', '/query/limit'],
    ['/people?limit=ten', 'field-invalid', '/query/limit'],
    ['/people?q=x', 'field-invalid', '/query/q'],
    ['/people?cursor=bm90IGEga2V5', 'field-invalid', '/query/cursor'],
    ['/cards?state=gone', 'field-invalid', '/query/state'],
    ['/cards?personId=1', 'field-invalid', '/query/personId'],
    ['/people/not-an-id', 'field-invalid', '/params/personId'],
  ])('%s is refused', async (path, code, pointer) => {
    const answer = await helpdesk().get(path);
    expect(refusal(answer)).toBe(`400 ${code}`);
    expect(answer.body.errors[0].pointer).toBe(pointer);
  });

  it.each(["' OR 1=1 --", '%', '_', '\\', "\\' OR 1=1 --", 'a%b_c', '"; DROP TABLE people; --'])(
    'is text, never SQL or a pattern: %s',
    async (text) => {
      await registerPerson(system, 'Nobody Special');
      for (const path of [
        `/people?q=${encodeURIComponent(`${text}x`)}`,
        `/search?q=${encodeURIComponent(`${text}x`)}`,
      ]) {
        const answer = await helpdesk().get(path);
        expect(answer.status).toBe(200);
        expect(answer.body.items).toEqual([]);
      }
    },
  );

  it('pages through a list without a gap or a repeat, newest first', async () => {
    const made: string[] = [];
    for (let i = 0; i < 5; i++) made.push((await registerPerson(system, `Page Turner ${i}`)).id);
    const seen: string[] = [];
    let next: string | null = '';
    while (next !== null) {
      const page: Answer = await helpdesk().get(
        `/people?q=page%20turner&limit=2${next === '' ? '' : `&cursor=${next}`}`,
      );
      seen.push(...page.body.items.map((person: { id: string }) => person.id));
      next = page.body.next;
    }
    expect(seen).toEqual(made.toReversed());
  });
});

describe('Idempotency-Key', () => {
  it('gives the first answer again to the same request, and does it once', async () => {
    const [body, key] = [newPerson(), randomUUID()];
    const first = await helpdesk().post('/people', body, { 'idempotency-key': key });
    const second = await helpdesk().post('/people', body, { 'idempotency-key': key });
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body).toEqual(first.body);
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    const events = await system.as('auditor').get(`/audit/events?personId=${first.body.id}`);
    expect(events.body.items).toHaveLength(1);
  });

  it('refuses another body, and another operation, under a key that was used', async () => {
    const key = { 'idempotency-key': randomUUID() };
    const body = newPerson();
    expect((await helpdesk().post('/people', body, key)).status).toBe(201);
    expect(refusal(await helpdesk().post('/people', newPerson(), key))).toBe('422 idempotency-key-reused');
    expect(refusal(await helpdesk().post('/enrolments', { personId: randomUUID() }, key))).toBe(
      '422 idempotency-key-reused',
    );
  });

  it('belongs to one caller: another with the same key is not answered with what is not his', async () => {
    const [body, key] = [newPerson(), { 'idempotency-key': randomUUID() }];
    expect((await helpdesk().post('/people', body, key)).status).toBe(201);
    expect(refusal(await system.as('integration').post('/people', body, key))).toBe('409 person-exists');
  });

  it('never stores an answer that shows a secret', async () => {
    const person = await registerPerson(system, 'One Code');
    const key = { 'idempotency-key': randomUUID() };
    const first = await helpdesk().post('/enrolments', { personId: person.id }, key);
    expect(first.status).toBe(201);
    expect(first.headers.get('cache-control')).toContain('no-store');
    const second = await helpdesk().post('/enrolments', { personId: person.id }, key);
    expect(refusal(second)).toBe('409 answer-shown-once');
    const rows = JSON.stringify(await system.query('SELECT * FROM idempotency_keys'));
    expect(rows).not.toContain(first.body.code);
  });

  it('may be used again after a refusal, which changed nothing', async () => {
    const key = { 'idempotency-key': randomUUID() };
    const body = { personId: randomUUID() };
    const first = await helpdesk().post('/enrolments', body, key);
    expect(first.status).toBeGreaterThanOrEqual(400);
    expect(refusal(await helpdesk().post('/enrolments', body, key))).toBe(refusal(first));
  });

  it('says so when the first request is under way, or was cut off', async () => {
    const [body, key] = [newPerson(), randomUUID()];
    const made = await helpdesk().post('/people', body, { 'idempotency-key': key });
    expect(made.status).toBe(201);
    await system.query('UPDATE idempotency_keys SET status = NULL, answer = NULL WHERE key = $1', [key]);
    const again = () => helpdesk().post('/people', body, { 'idempotency-key': key });
    expect(refusal(await again())).toBe('409 idempotency-key-under-way');
    await system.query("UPDATE idempotency_keys SET created_at = now() - interval '2 minutes' WHERE key = $1", [key]);
    expect(refusal(await again())).toBe('409 idempotency-outcome-unknown');
    await system.query("UPDATE idempotency_keys SET created_at = now() - interval '25 hours' WHERE key = $1", [key]);
    expect(refusal(await again())).toBe('409 person-exists');
  });

  it('of two at once lets one through', async () => {
    const [body, key] = [newPerson(), { 'idempotency-key': randomUUID() }];
    const answers = await Promise.all(Array.from({ length: 6 }, () => helpdesk().post('/people', body, key)));
    const done = new Set(answers.filter(({ status }) => status === 201).map((answer) => answer.body.id));
    expect(done.size).toBe(1);
    for (const answer of answers) expect(['201 undefined', '409 idempotency-key-under-way']).toContain(refusal(answer));
  });

  it.each(['', 'x'.repeat(201), 'ä'])('that is malformed is refused: %j', async (key) => {
    const answer = await raw('/api/v1/people', {
      method: 'POST',
      body: JSON.stringify(newPerson()),
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
    });
    expect(((await answer.json()) as { code: string }).code).toBe('field-invalid');
  });
});

describe('an answer', () => {
  it('of a single object has an ETag that changes with the object, and 304 to who has it', async () => {
    const { id } = await registerPerson(system, 'Etta G');
    const first = await helpdesk().get(`/people/${id}`);
    const etag = first.headers.get('etag') ?? '';
    expect(etag).toMatch(/^"1-[\w-]{22}"$/);
    const known = await raw(`/api/v1/people/${id}`, { headers: { 'if-none-match': `"other", ${etag}` } });
    expect([known.status, await known.text()]).toEqual([304, '']);
    await system.query("UPDATE people SET display_name = 'Etta Changed' WHERE id = $1", [id]);
    const changed = await raw(`/api/v1/people/${id}`, { headers: { 'if-none-match': etag } });
    expect(changed.status).toBe(200);
    expect(changed.headers.get('etag')).not.toBe(etag);
  });

  it('can not be framed, sniffed, stored or scripted into', async () => {
    for (const path of ['/api/v1/people', '/docs', '/', '/api/v1/nothing']) {
      const answer = await raw(path);
      await answer.arrayBuffer();
      const csp = answer.headers.get('content-security-policy') ?? '';
      expect(csp).toContain("default-src 'none'");
      expect(csp).toContain("script-src 'self'");
      expect(csp).toContain("frame-ancestors 'none'");
      expect(csp).not.toContain('unsafe');
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      expect(answer.headers.get('x-frame-options')).toBe('DENY');
      expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
    }
    expect((await helpdesk().get('/people')).headers.get('cache-control')).toBe('no-store');
    expect((await raw('/')).headers.get('access-control-allow-origin')).toBeNull();
  });

  it('to what does not exist is a problem too', async () => {
    const paths = ['people', 'devices', 'cards', 'enrolments', 'certificates', 'unblock-sessions'];
    for (const path of paths) expect(refusal(await helpdesk().get(`/${path}/${randomUUID()}`))).toBe('404 not-found');
    expect(refusal(await rest(system.url).get('/nothing'))).toBe('404 not-found');
    const broken = await raw('/api/v1/people/%ff');
    expect(((await broken.json()) as { code: string }).code).toBe('request-malformed');
  });
});

describe('the names that accounts are found by', () => {
  const principal = (person: Person) => person.userPrincipalName.replace(/@.*/, '@CORP.EXAMPLE');

  it("are no two persons', whether said or following from a user principal name", async () => {
    const victim = await registerPerson(system, 'Vic Victim');
    const other = await registerPerson(system, 'Otto Other');
    const sid = 'S-1-5-21-1-2-3-500';
    expectStatus(200, await changePerson(system, victim.id, { securityIdentifier: sid }));
    for (const [change, code] of [
      [{ kerberosPrincipal: principal(victim) }, '409 kerberos-principal-taken'],
      [{ kerberosPrincipal: principal(victim).toUpperCase() }, '409 kerberos-principal-taken'],
      [{ securityIdentifier: sid }, '409 security-identifier-taken'],
      [{ userPrincipalName: victim.userPrincipalName.toUpperCase() }, '409 person-exists'],
    ] as const) {
      expect(refusal(await changePerson(system, other.id, change)), JSON.stringify(change)).toBe(code);
    }
    const entered = { displayName: 'Nina New', userPrincipalName: 'nina.new@corp.example' };
    for (const [names, code] of [
      [{ kerberosPrincipal: principal(victim) }, '409 kerberos-principal-taken'],
      [{ securityIdentifier: sid }, '409 security-identifier-taken'],
      [{ userPrincipalName: victim.userPrincipalName }, '409 person-exists'],
      [{ securityIdentifier: 'S-1-5-18' }, '400 field-invalid'],
      [{ kerberosPrincipal: 'nina/admin@CORP.EXAMPLE' }, '400 field-invalid'],
    ] as const) {
      expect(
        refusal(await system.as('security-officer').post('/people', { ...entered, ...names })),
        JSON.stringify(names),
      ).toBe(code);
    }
    // Who has another principal leaves free what follows from their user principal name.
    expectStatus(200, await changePerson(system, victim.id, { kerberosPrincipal: 'vic@CORP.EXAMPLE' }));
    expectStatus(200, await changePerson(system, other.id, { kerberosPrincipal: principal(victim) }));
    expect(refusal(await changePerson(system, victim.id, { kerberosPrincipal: null }))).toBe(
      '409 kerberos-principal-taken',
    );
  });

  it('are not for everybody who may enter people', async () => {
    const person = { displayName: 'Mal Mallory', userPrincipalName: 'mal@corp.example' };
    for (const names of [{ securityIdentifier: 'S-1-5-21-1-2-3-500' }, { kerberosPrincipal: 'root@CORP.EXAMPLE' }]) {
      for (const role of ['helpdesk', 'integration'] as const) {
        expect(refusal(await system.as(role).post('/people', { ...person, ...names }))).toBe('403 permission-missing');
      }
    }
    const made = expectStatus(201, await system.as('helpdesk').post('/people', person)).body;
    const etag = (await system.as('helpdesk').get(`/people/${made.id}`)).headers.get('etag') ?? '';
    const change = { displayName: 'Administrator' };
    const refused = await system.as('helpdesk').patch(`/people/${made.id}`, change, { 'if-match': etag });
    expect(refusal(refused)).toBe('403 permission-missing');
    expect(refusal(await system.as('security-officer').patch(`/people/${made.id}`, change))).toBe('428 etag-required');
    expect(
      refusal(await system.as('security-officer').patch(`/people/${made.id}`, change, { 'if-match': '"9"' })),
    ).toBe('412 etag-stale');
    expect(refusal(await system.as('security-officer').patch(`/people/${made.id}`, {}, { 'if-match': etag }))).toBe(
      '400 field-invalid',
    );
  });
});
