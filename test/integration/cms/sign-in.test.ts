import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestSystem, type TestSystem } from '../../support/system.ts';

let system: TestSystem;
beforeAll(async () => {
  system = await startTestSystem();
});
afterAll(() => system.remove());

const call = (method: string, path: string, headers: Record<string, string> = {}, body?: unknown) =>
  fetch(`${system.url}/api/v1${path}`, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

const helpdesk = () => {
  const operator = system.operators.find((one) => one.role === 'helpdesk');
  if (operator === undefined) throw new Error('no helpdesk operator');
  return operator;
};

/** As a browser does: signs in, and keeps the cookie. */
async function signIn(headers: Record<string, string> = {}): Promise<{ cookie: string; setCookie: string }> {
  const { name, password } = helpdesk();
  const answer = await call('POST', '/session', headers, { userName: name, password });
  expect(answer.status).toBe(200);
  const setCookie = answer.headers.getSetCookie()[0] ?? '';
  return { setCookie, cookie: setCookie.split(';')[0] ?? '' };
}

const newPerson = () => ({ displayName: 'Mary Major', userPrincipalName: `m.${crypto.randomUUID()}@corp.example` });

async function refusal(answer: Response, status: number, code: string): Promise<void> {
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect({ status: answer.status, code: ((await answer.json()) as { code: string }).code }).toEqual({ status, code });
}

describe('signing in', () => {
  it('sets a cookie that scripts can not read and other sites do not send, and says who one is', async () => {
    const { cookie, setCookie } = await signIn();
    expect(setCookie).toMatch(/; HttpOnly/);
    expect(setCookie).toMatch(/; SameSite=Strict/);
    expect(setCookie).toMatch(/; Path=\//);
    const session = (await (await call('GET', '/session', { cookie })).json()) as Record<string, never>;
    expect(session).toMatchObject({ operator: { name: helpdesk().name, role: 'helpdesk' } });
    expect(session.permissions).toContain('unblock:perform');
    expect(session.permissions).not.toContain('audit:read');
    const hours = (Date.parse(session.expiresAt as unknown as string) - Date.now()) / 3_600_000;
    expect(hours).toBeGreaterThan(7.9);
    expect(hours).toBeLessThanOrEqual(8);
  });

  it('stores no token: what the database holds is a hash', async () => {
    const { cookie } = await signIn();
    const token = cookie.split('=')[1] ?? '';
    const rows = await system.query(
      `SELECT encode(token_hash, 'base64') AS a, encode(token_hash, 'escape') AS b FROM operator_sessions`,
    );
    expect(rows.length).toBeGreaterThan(0);
    expect(JSON.stringify(rows)).not.toContain(token);
  });

  it('never takes over a session token that the browser brought along (fixation)', async () => {
    const planted = 'cardwright=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
    const { cookie } = await signIn({ cookie: planted });
    expect(cookie).not.toBe(planted);
    await refusal(await call('GET', '/session', { cookie: planted }), 401, 'sign-in-required');
  });

  it('refuses a wrong password and an unknown name alike, and says nothing of which it was', async () => {
    const { name } = helpdesk();
    const wrong = await call('POST', '/session', {}, { userName: name, password: 'not the password' });
    const unknown = await call(
      'POST',
      '/session',
      {},
      { userName: 'nobody-of-that-name', password: 'not the password' },
    );
    expect(wrong.headers.getSetCookie()).toEqual([]);
    const bodies = [await wrong.json(), await unknown.json()] as Record<string, unknown>[];
    for (const body of bodies) delete body.requestId;
    expect(bodies[0]).toMatchObject({ status: 401, code: 'sign-in-failed' });
    expect(bodies[1]).toEqual(bodies[0]);
  });

  it('takes as long for an unknown name as for a wrong password', async () => {
    const time = async (userName: string) => {
      const began = performance.now();
      await call('POST', '/session', {}, { userName, password: 'not the password' });
      return performance.now() - began;
    };
    const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
    const [known, unknown]: [number[], number[]] = [[], []];
    const { name: auditor } = system.operators.find((one) => one.role === 'auditor') ?? { name: '' };
    for (let i = 0; i < 4; i++) {
      known.push(await time(auditor));
      unknown.push(await time(`nobody-${i}`));
    }
    // Without the decoy an unknown name is answered some twenty times faster.
    expect(median(unknown)).toBeGreaterThan(median(known) / 3);
  });

  it('makes who guesses wait, by name and address, and records each failure without the name typed', async () => {
    const userName = 'S3cret-typed-into-the-wrong-field';
    const codes: string[] = [];
    for (let i = 0; i < 8; i++) {
      const answer = await call('POST', '/session', {}, { userName, password: `guess ${i}` });
      codes.push(((await answer.json()) as { code: string }).code);
      if (answer.status === 429) expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect(codes.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => 'sign-in-failed'));
    expect(codes.at(-1)).toBe('sign-in-throttled');
    const events = await system.as('auditor').get('/audit/events?action=session.opened&outcome=refused');
    expect(events.body.items.length).toBeGreaterThanOrEqual(5);
    expect(events.body.items[0]).toMatchObject({
      code: 'sign-in-failed',
      actor: { kind: 'anonymous', name: 'unknown' },
    });
    expect(JSON.stringify(events.body)).not.toContain(userName);
  });
});

describe('a session', () => {
  it('ends on the server when its owner signs out: a copy of the cookie is worth nothing', async () => {
    const { cookie } = await signIn();
    const out = await call('DELETE', '/session', { cookie, origin: system.url });
    expect(out.status).toBe(204);
    expect(out.headers.getSetCookie()[0]).toMatch(/Expires=Thu, 01 Jan 1970|Max-Age=0/);
    await refusal(await call('GET', '/session', { cookie }), 401, 'sign-in-required');
  });

  it('ends by itself', async () => {
    const { cookie } = await signIn();
    await system.query(`UPDATE operator_sessions SET expires_at = now() - interval '1 second'`);
    await refusal(await call('GET', '/session', { cookie }), 401, 'sign-in-required');
    // The worker forgets it soon; its rounds are two seconds apart.
    const ended = () => system.query('SELECT 1 FROM operator_sessions WHERE expires_at < now()');
    await expect.poll(async () => (await ended()).length, { timeout: 20_000, interval: 250 }).toBe(0);
  });

  it.each([
    ['from another site', { 'sec-fetch-site': 'cross-site' }],
    ['from a sibling host', { 'sec-fetch-site': 'same-site' }],
    ['opened by the user from elsewhere', { 'sec-fetch-site': 'none' }],
    ['from another origin, by an older browser', { origin: 'https://evil.example' }],
    ['from a sandboxed frame', { origin: 'null' }],
    ['of unknown origin', {}],
  ])('changes nothing when the request comes %s', async (_where, headers: Record<string, string>) => {
    const { cookie } = await signIn();
    const body = newPerson();
    await refusal(await call('POST', '/people', { cookie, ...headers }, body), 403, 'origin-refused');
    const found = await system.as('helpdesk').get(`/people?userPrincipalName=${body.userPrincipalName}`);
    expect(found.body.items).toEqual([]);
  });

  it('works from the console itself, and needs no origin to read', async () => {
    const { cookie } = await signIn();
    expect((await call('POST', '/people', { cookie, 'sec-fetch-site': 'same-origin' }, newPerson())).status).toBe(201);
    expect((await call('POST', '/people', { cookie, origin: system.url }, newPerson())).status).toBe(201);
    expect((await call('GET', '/people', { cookie })).status).toBe(200);
  });

  it('can not be opened by a page of another origin', async () => {
    const { name, password } = helpdesk();
    const answer = await call('POST', '/session', { origin: 'https://evil.example' }, { userName: name, password });
    expect(answer.headers.getSetCookie()).toEqual([]);
    await refusal(answer, 403, 'origin-refused');
  });
});

describe('a token', () => {
  it.each(['Bearer not-a-token-that-anyone-has-1234567890', 'Bearer x', 'Basic aGVscGRlc2s6eA==', 'Bearer '])(
    'is refused when nobody has it: %s',
    async (authorization) => {
      const answer = await call('GET', '/people', { authorization });
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
      await refusal(answer, 401, 'token-invalid');
    },
  );

  it('is not taken from the address', async () => {
    const token = system.tokens.helpdesk;
    await refusal(await call('GET', `/people?access_token=${token}`), 401, 'sign-in-required');
  });

  it('ends with its date and with its operator', async () => {
    const token = { authorization: `Bearer ${system.tokens.integration}` };
    expect((await call('GET', '/session', token)).status).toBe(200);
    const role = `(SELECT id FROM operators WHERE role = 'integration')`;
    await system.query(`UPDATE api_tokens SET expires_at = now() - interval '1 second' WHERE operator_id = ${role}`);
    await refusal(await call('GET', '/session', token), 401, 'token-invalid');
    await system.query(`UPDATE api_tokens SET expires_at = NULL WHERE operator_id = ${role}`);
    await system.query(`UPDATE operators SET disabled_at = now() WHERE role = 'integration'`);
    await refusal(await call('GET', '/session', token), 401, 'token-invalid');
  });
});
