import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registerPerson } from '../../support/people.ts';
import { recordsOf } from '../../support/snapshot.ts';
import { startTestSystem, type TestSystem } from '../../support/system.ts';
import { csr, expectStatus, NV_INDEX, newCode, nonce, rawDevice, refusal, tpmChallenge } from './raw-device.ts';

let system: TestSystem;
beforeAll(async () => {
  system = await startTestSystem();
});
afterAll(() => system.remove());

const helpdesk = () => system.as('helpdesk');
const newPerson = (change: object = {}) => ({
  displayName: 'Mary Major',
  userPrincipalName: `mary.${randomUUID()}@corp.example`,
  ...change,
});

/** Bytes as they are, for what fetch would refuse to send. */
const raw = (path: string, headers: Record<string, string> = {}) =>
  new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: string }>((resolve, reject) => {
    const { hostname, port } = new URL(system.url);
    request({ hostname, port, path, headers }, (answer) => {
      let body = '';
      answer.setEncoding('latin1');
      answer.on('data', (part: string) => {
        body += part;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }));
    })
      .on('error', reject)
      .end();
  });

describe('a device that took the token of its own for a key to others', () => {
  it('reaches nothing of another device, neither by its card, its enrolment nor its session', async () => {
    const [victim, thief] = [rawDevice(system), rawDevice(system)];
    const unfinished = await victim.begin((await newCode(system)).code);
    const card = await victim.enrol((await newCode(system)).code);
    const own = await thief.enrol((await newCode(system)).code);
    const challenge = tpmChallenge(card.cardSerial).text;
    const asked = await victim.api.post(`/agent/cards/${card.cardId}/unblock-requests`, { challenge, triesLeft: 0 });
    const session = `/agent/unblock-requests/${expectStatus(201, asked).body.sessionId}`;
    const before = await recordsOf(system);

    const steps = `/agent/enrolments/${unfinished.enrolmentId}`;
    const { keyVersion } = unfinished;
    const parentPublic = Buffer.from(thief.parent.public).toString('base64');
    const answers = await Promise.all([
      thief.api.post(`${steps}/administrator-keys`, { parentPublic }),
      thief.api.post(`${steps}/first-writes`, { keyVersion, nvIndex: NV_INDEX, nonce: nonce() }),
      thief.api.post(`${steps}/certificate-requests`, { container: 'sign-in', csr: csr() }),
      thief.api.post(`${steps}/completions`, { nvIndex: NV_INDEX }),
      thief.api.post(`/agent/enrolments/${own.cardId}/completions`, { nvIndex: NV_INDEX }),
      thief.api.post(`/agent/cards/${card.cardId}/unblock-requests`, { challenge, triesLeft: 5 }),
      thief.api.post(`/agent/cards/${card.cardId}/destructions`),
      thief.api.get(session),
      thief.api.post(`${session}/outcomes`, { outcome: 'worked' }),
    ]);
    expect(answers.map(refusal)).toEqual(Array(answers.length).fill('404 not-found'));
    const report = { cardId: card.cardId, triesLeft: 0, blocked: true };
    expect((await thief.api.post('/agent/check-ins', { cards: [report] })).body).toMatchObject({
      cards: [],
      tasks: [],
    });
    const seen = (await thief.api.get('/agent/cards')).body.items;
    expect(seen.map((one: { cardId: string }) => one.cardId)).toEqual([own.cardId]);
    expect(await recordsOf(system)).toEqual(before);
  });

  it('gives up an enrolment whose card was never written', async () => {
    const device = rawDevice(system);
    const { cardId } = expectStatus(200, await device.claim((await newCode(system)).code)).body;
    expectStatus(201, await device.api.post(`/agent/cards/${cardId}/destructions`));
    expect((await helpdesk().get(`/cards/${cardId}`)).body.state).toBe('destroyed');
    expectStatus(201, await device.api.post(`/agent/cards/${cardId}/destructions`));
  });
});

describe('a name', () => {
  it.each([
    ['an escape sequence', '\u001b[2JMary'],
    ['a C1 control (CSI)', '\u009b2JMary'],
    ['an override of its direction', 'Mary\u202ejoraM'],
    ['an isolate', 'Mary\u2066Major'],
    ['a line separator', 'Mary\u2028Major'],
    ['a byte order mark', '\ufeffMary'],
    ['a private character', 'Mary\ue000'],
    ['a header', 'Mary\r\nSet-Cookie: a=b'],
  ])('with %s is refused: of a person, of a principal, of a device, in a reason', async (_what, text) => {
    expect(refusal(await helpdesk().post('/people', newPerson({ displayName: text })))).toBe('400 field-invalid');
    const userPrincipalName = `${text.replaceAll(' ', '')}@corp.example`;
    expect(refusal(await helpdesk().post('/people', newPerson({ userPrincipalName })))).toBe('400 field-invalid');
    const { code, enrolmentId } = await newCode(system);
    const claim = {
      code,
      deviceToken: rawDevice(system).token,
      device: { hostName: text, platform: 'linux', storageKeyName: `000b${'00'.repeat(32)}`, tpm: null },
    };
    expect(refusal(await system.as('helpdesk').post('/agent/enrolments/claims', claim))).toBe('400 field-invalid');
    const cancelled = await helpdesk().post(`/enrolments/${enrolmentId}/cancellations`, { reason: text });
    expect(refusal(cancelled)).toBe('400 field-invalid');
  });

  it('in the letters of its people is taken as it is', async () => {
    for (const displayName of ['Zoë Ångström', 'עברית', 'عربي', '山田太郎', 'नमस्ते', 'O’Brien-Ōta', 'Ann\u200dLee']) {
      expect(expectStatus(201, await helpdesk().post('/people', newPerson({ displayName }))).body.displayName).toBe(
        displayName,
      );
    }
  });

  it('longer than a certificate takes is cut there, and the card is made', async () => {
    const person = await registerPerson(system, `${'x'.repeat(63)} ${'y'.repeat(100)}`.slice(0, 120));
    const { code } = await newCode(system, person);
    const { certificateId } = await rawDevice(system).enrol(code);
    const { subject } = (await helpdesk().get(`/certificates/${certificateId}`)).body;
    expect(subject).toBe(`CN=${'x'.repeat(63)}`);
  });
});

describe('a body made to hurt', () => {
  const post = (body: string) =>
    fetch(`${system.url}/api/v1/people`, {
      method: 'POST',
      body,
      headers: { authorization: `Bearer ${system.tokens.helpdesk}`, 'content-type': 'application/json' },
    });

  it.each([
    ['arrays in arrays', '['.repeat(30_000) + ']'.repeat(30_000), 400],
    ['objects in objects', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`, 400],
    ['an unfinished depth', '['.repeat(60_000), 400],
    ['fields without number', `{${Array.from({ length: 5_000 }, (_, n) => `"f${n}":1`).join()}}`, 400],
    ['more than is read', `{"displayName":"${'x'.repeat(70_000)}"}`, 413],
  ])('of %s is refused in no time', async (_what, body, status) => {
    const began = performance.now();
    expect((await post(body)).status).toBe(status);
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  it.each([' '.repeat(60_000), 'a@'.repeat(30_000), `${'a'.repeat(60_000)}!`, '\t'.repeat(30_000), '%'.repeat(60_000)])(
    'a text on which a pattern could spend its life is refused in no time (%#)',
    async (text) => {
      const began = performance.now();
      for (const field of ['displayName', 'userPrincipalName', 'email']) {
        expect((await post(JSON.stringify(newPerson({ [field]: text })))).status).toBe(400);
      }
      const challenge = await helpdesk().post(`/unblock-sessions/${randomUUID()}/responses`, { challenge: text });
      expect(refusal(challenge)).toBe('400 field-invalid');
      expect(performance.now() - began).toBeLessThan(2_000);
    },
  );
});

describe('a cursor', () => {
  const cursor = (text: string) => Buffer.from(text).toString('base64url');

  it.each([
    ['/people', cursor("' OR 1=1 --")],
    ['/people', cursor('12')],
    ['/people', cursor(`${randomUUID()}\n`)],
    ['/people', cursor(randomUUID().toUpperCase())],
    ['/cards', '%00'],
    ['/audit/events', cursor(randomUUID())],
    ['/audit/events', cursor('-1')],
    ['/audit/events', cursor('9'.repeat(30))],
    ['/audit/events', cursor('1e9')],
  ])('of %s that was forged (%s) is refused', async (path, forged) => {
    expect(refusal(await system.as('auditor').get(`${path}?cursor=${forged}`))).toBe('400 field-invalid');
  });

  it('of one list is no way past the filter of another', async () => {
    const [mine, other] = [await registerPerson(system, 'Ann One'), await registerPerson(system, 'Bob Two')];
    for (const { id } of [mine, other]) await helpdesk().post('/enrolments', { personId: id });
    const { body } = await helpdesk().get(
      `/enrolments?personId=${mine.id}&cursor=${cursor(`${'f'.repeat(8) + '-ffff'.repeat(3)}-${'f'.repeat(12)}`)}`,
    );
    expect(body.items.map((one: { personId: string }) => one.personId)).toEqual([mine.id]);
  });
});

describe('a search', () => {
  it.each(['%%', '__', '%_', '\\\\', '\\%'])('for %s finds what has it, not everything', async (q) => {
    await registerPerson(system, 'Somebody Else');
    expect(expectStatus(200, await helpdesk().get(`/search?q=${encodeURIComponent(q)}`)).body.items).toEqual([]);
    expect(expectStatus(200, await helpdesk().get(`/people?q=${encodeURIComponent(q)}`)).body.items).toEqual([]);
    expect(expectStatus(200, await helpdesk().get(`/devices?q=${encodeURIComponent(q)}`)).body.items).toEqual([]);
  });

  it('for one letter with a space around it is refused', async () => {
    expect(refusal(await helpdesk().get('/search?q=%20m'))).toBe('400 field-invalid');
  });
});

describe('an address', () => {
  it.each([
    '//evil.example/',
    '//evil.example/%2e%2e',
    '/\\evil.example',
    '/%0d%0aLocation:%20//evil.example',
    '/https:/evil.example',
  ])('%s leads nowhere else', async (path) => {
    const answer = await raw(path);
    expect(Math.floor(answer.status / 100)).not.toBe(3);
    expect(answer.headers.location).toBeUndefined();
  });

  it('is never made of what the caller says of the host', async () => {
    const lies = { host: 'evil.example', 'x-forwarded-host': 'evil.example', 'x-request-id': 'evil-id' };
    for (const path of ['/', '/docs', '/api/v1/openapi.json', '/api/v1/people', '/health/ready']) {
      const answer = await raw(path, lies);
      expect(JSON.stringify(answer.headers) + answer.body, path).not.toContain('evil');
    }
  });

  it('carries no token: one that is put there is not read, and is not sent back', async () => {
    for (const name of ['token', 'access_token', 'authorization']) {
      const answer = await raw(`/api/v1/people?${name}=${system.tokens.helpdesk}`);
      expect(answer.status).toBe(401);
      expect(answer.body).not.toContain(system.tokens.helpdesk);
    }
  });
});
