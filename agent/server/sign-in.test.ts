import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { httpServer } from './server.http.ts';
import { createSignIn, type SignIn } from './sign-in.ts';

/** What the device signs with, but for the hardware: tests of agent/attestation have that. */
const identity = {
  identity: async () => ({ public: new Uint8Array(), name: Uint8Array.of(0, 0x0b, 1) }),
  sign: async () => new Uint8Array(64).fill(7),
};
const DEVICE_TOKEN = 'd'.repeat(43);
const DEVICE_ID = '0199f2a0-2222-7000-8000-000000000002';

describe('an attested device', () => {
  let server: Server;
  let url: string;
  let now: Date;
  let signIn: SignIn;
  /** What came, as `METHOD path bearer`. */
  let asked: string[];
  let assertions: string[];
  let issued: number;
  let valid: Set<string>;

  beforeEach(async () => {
    [asked, assertions, issued, valid, now] = [[], [], 0, new Set(), new Date('2026-11-21T02:00:00Z')];
    server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const bearer = request.headers.authorization?.replace('Bearer ', '') ?? 'none';
      asked.push(`${request.method} ${request.url} ${bearer}`);
      const answer = (status: number, body: object) => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      };
      const refuse = (code: string, data?: object) => answer(401, { status: 401, code, detail: code, data });
      if (request.url?.endsWith('/tokens')) {
        assertions.push(JSON.parse(Buffer.concat(chunks).toString()).assertion);
        const accessToken = `access-token-number-${++issued}`;
        valid.add(accessToken);
        return answer(201, { accessToken, expiresInSeconds: 600, tokenType: 'Bearer', deviceId: DEVICE_ID });
      }
      if (bearer === DEVICE_TOKEN) return refuse('assertion-required', { deviceId: DEVICE_ID });
      if (!valid.has(bearer)) return refuse('token-invalid');
      return answer(201, { state: 'destroyed' });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    signIn = createSignIn({
      now: () => now,
      randomBytes: (length) => new Uint8Array(length).fill(issued),
      withAttestation: (work) => work(identity as never),
    });
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  const api = () => httpServer({ url, deviceToken: DEVICE_TOKEN, trustedCa: null }, { attempts: 1 }, {}, signIn);
  const claimsOf = (assertion: string | undefined) =>
    JSON.parse(Buffer.from(assertion?.split('.')[1] ?? '', 'base64url').toString());

  it('signs in when it is asked to, once for ten minutes', async () => {
    await api().destroyed('c1');
    await api().destroyed('c2');
    expect(asked.map((one) => one.split(' ')[2])).toEqual([
      DEVICE_TOKEN,
      'none',
      'access-token-number-1',
      'access-token-number-1',
    ]);
    expect(claimsOf(assertions[0])).toMatchObject({ iss: DEVICE_ID, aud: `${url}/api/v1/agent/tokens` });
    now = new Date(now.getTime() + 599_000);
    await api().destroyed('c3');
    expect(issued).toBe(2);
    expect(claimsOf(assertions[0]).jti).not.toBe(claimsOf(assertions[1]).jti);
  });

  it('signs in anew when the server forgot its token', async () => {
    await api().destroyed('c1');
    valid.clear();
    await api().destroyed('c2');
    expect(issued).toBe(2);
  });

  it('names the server that it speaks to as the audience, whatever that says', async () => {
    await api().destroyed('c1');
    expect(assertions.every((one) => claimsOf(one).aud.startsWith(`${url}/`))).toBe(true);
  });

  it('says what the server said where there is no hardware to sign with', async () => {
    const plain = httpServer({ url, deviceToken: DEVICE_TOKEN, trustedCa: null }, { attempts: 1 }, {});
    await expect(plain.destroyed('c1')).rejects.toMatchObject({ code: 'assertion-required' });
  });
});
