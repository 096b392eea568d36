import { readFile, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { IssueAnswer } from '@cardwright/ca';
import { until } from '@cardwright/infra';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CaInstallation,
  caInstallation,
  fetchBytes,
  makeCsr,
  openssl,
  order,
  program,
  writePem,
} from './ca-process.ts';

/** Two processes of one CA: the same keys and database. The second reaches the database through a line that can be cut. */
let first: CaInstallation;
let second: CaInstallation;
let line: Awaited<ReturnType<typeof startLine>>;
let csr: Buffer;
beforeAll(async () => {
  first = await caInstallation();
  await first.start();
  const database = new URL(first.database.urls.ca);
  line = await startLine(database.hostname, Number(database.port));
  database.port = String(line.port);
  second = await caInstallation(
    { CA_KEYS_DIR: first.keysDirectory, CA_SECRET_FILE: first.secretFile, CA_DATABASE_URL: database.toString() },
    async () => ({ ...first.database, drop: async () => undefined }),
  );
  await second.start();
  const { root, issuing } = await first.client.authorities();
  await writePem(join(first.folder, 'root.pem'), 'CERTIFICATE', root.certificate);
  await writePem(join(first.folder, 'issuing.pem'), 'CERTIFICATE', issuing.certificate);
  csr = await makeCsr(first.folder);
});
afterAll(async () => {
  await second?.dispose();
  await line?.close();
  await first?.dispose();
});

async function startLine(host: string, port: number) {
  const sockets = new Set<Socket>();
  let whole = true;
  const server: Server = createServer((near) => {
    if (!whole) {
      near.destroy();
      return;
    }
    const far = connect({ host, port });
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket
        .on('error', () => undefined)
        .on('close', () => {
          sockets.delete(socket);
          other.destroy();
        });
      socket.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    whole = false;
    for (const socket of sockets) socket.destroy();
  };
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    cut,
    mend: () => {
      whole = true;
    },
    close: () =>
      new Promise<void>((resolve) => {
        cut();
        server.close(() => resolve());
      }),
  };
}

const file = (name: string) => join(first.folder, name);
const now = () => new Date().toISOString();

async function asking({ serialNumber }: IssueAnswer, ...args: string[]): Promise<Buffer> {
  const out = file(`${serialNumber}.req`);
  await openssl('ocsp', '-issuer', file('issuing.pem'), '-serial', `0x${serialNumber}`, ...args, '-reqout', out);
  return readFile(out);
}
const post = (ca: CaInstallation, body: Buffer) =>
  fetchBytes(`${ca.url()}/pki/ocsp`, { method: 'POST', body, headers: { 'content-type': 'application/ocsp-request' } });
/** What openssl reads in the answer. */
async function status(ca: CaInstallation, request: Buffer, { serialNumber }: IssueAnswer): Promise<string> {
  await writeFile(file('answer.der'), (await post(ca, request)).bytes);
  const { output } = await program('openssl', [
    ...[
      'ocsp',
      '-no_nonce',
      '-respin',
      file('answer.der'),
      '-issuer',
      file('issuing.pem'),
      '-serial',
      `0x${serialNumber}`,
    ],
    ...['-CAfile', file('root.pem'), '-verify_other', file('issuing.pem')],
  ]);
  return /: (good|revoked|unknown)/.exec(output)?.[1] ?? /Responder Error: (\w+)/.exec(output)?.[1] ?? output;
}

describe('two processes of one CA', () => {
  it('each show by OCSP what the other records within a second: revoked, held, released', async () => {
    const issued = await first.client.issue(order('seen', csr));
    const request = await asking(issued, '-no_nonce');
    const { serialNumber } = issued;
    const delays: number[] = [];
    for (const [by, shown, act] of [
      [first, 'revoked', () => first.client.revoke({ serialNumber, reason: 'certificateHold', revokedAt: now() })],
      [second, 'good', () => second.client.release({ serialNumber, releasedAt: now() })],
      [first, 'revoked', () => first.client.revoke({ serialNumber, reason: 'keyCompromise', revokedAt: now() })],
    ] as const) {
      const other = by === first ? second : first;
      // Asked before, so that both have a signed answer at hand.
      for (const ca of [first, second]) expect(await status(ca, request, issued)).not.toBe(shown);
      await act();
      const answered = performance.now();
      expect(await status(by, request, issued)).toBe(shown);
      let asked = 0;
      await until({ what: `the other process to say ${shown}`, seconds: 5, everyMs: 5 }, async () => {
        asked = performance.now();
        return (await status(other, request, issued)) === shown;
      });
      delays.push(asked - answered);
    }
    // The middle one: a machine under tests may stand still for once.
    expect(delays.toSorted((a, b) => a - b)[1]).toBeLessThan(1000);
  });

  it('never give one CRL number to two, and come to publish the same', async () => {
    const issued = await Promise.all(Array.from({ length: 16 }, (_, n) => first.client.issue(order(`both-${n}`, csr))));
    const seen = new Map<string, string>();
    const revokeAt = async (at: number) => {
      const ca = at % 2 === 0 ? first : second;
      const { serialNumber } = issued[at] as IssueAnswer;
      await ca.client.revoke({ serialNumber, reason: 'superseded', revokedAt: now() });
      const { response, bytes } = await fetchBytes(`${ca.url()}/pki/issuing.crl`);
      expect(bytes.includes(Buffer.from(serialNumber, 'hex'))).toBe(true);
      await writeFile(file(`${at}.crl`), bytes);
      const number = await openssl('crl', '-inform', 'DER', '-in', file(`${at}.crl`), '-noout', '-crlnumber');
      const etag = response.headers.get('etag') ?? '';
      expect(seen.get(number) ?? etag).toBe(etag);
      seen.set(number, etag);
    };
    await Promise.all(issued.map((_, at) => revokeAt(at)));
    const tags = async () => {
      const all = [first, second].map((ca) => fetchBytes(`${ca.url()}/pki/issuing.crl`));
      return (await Promise.all(all)).map(({ response }) => response.headers.get('etag'));
    };
    await until({ what: 'both to publish the same CRL', seconds: 10 }, async () => {
      const [one, two] = await tags();
      return one === two;
    });
    const { bytes } = await fetchBytes(`${second.url()}/pki/issuing.crl`);
    for (const { serialNumber } of issued) expect(bytes.includes(Buffer.from(serialNumber, 'hex'))).toBe(true);
  });
});

describe('without its database', () => {
  it('the responder goes on giving the signed answers that it has, and says of all others to try later', async () => {
    const [known, other] = [
      await first.client.issue(order('known', csr)),
      await first.client.issue(order('other', csr)),
    ];
    const [plain, withNonce] = [await asking(known, '-no_nonce'), await asking(known, '-nonce')];
    expect(await status(second, plain, known)).toBe('good');
    const { bytes } = await post(second, plain);
    line.cut();
    const later = '30030a0103';
    await until(
      { what: 'the loss to be noticed', seconds: 10 },
      async () => (await post(second, withNonce)).bytes.toString('hex') === later,
    );
    expect((await post(second, plain)).bytes).toEqual(bytes);
    expect((await post(second, await asking(other, '-no_nonce'))).bytes.toString('hex')).toBe(later);
    const crl = await fetchBytes(`${second.url()}/pki/issuing.crl`);
    expect(crl.response.status).toBe(200);

    // What the others record meanwhile is known as soon as the database is back.
    await first.client.revoke({ serialNumber: known.serialNumber, reason: 'keyCompromise', revokedAt: now() });
    line.mend();
    await until(
      { what: 'the revocation to show', seconds: 20 },
      async () => (await status(second, plain, known)) === 'revoked',
    );
    expect(await status(second, withNonce, known)).toBe('revoked');
  });
});

describe('an answer to GET', () => {
  it('may be kept by caches that ask each time whether it is still the same', async () => {
    const issued = await first.client.issue(order('cached', csr));
    const path = encodeURIComponent((await asking(issued, '-no_nonce')).toString('base64'));
    const get = (headers: Record<string, string> = {}) => fetchBytes(`${first.url()}/pki/ocsp/${path}`, { headers });
    const { response } = await get();
    expect(response.headers.get('cache-control')).toBe('public, max-age=0, must-revalidate, no-transform');
    expect(Date.parse(response.headers.get('last-modified') ?? '')).toBeLessThanOrEqual(Date.now());
    const etag = response.headers.get('etag') ?? '';
    expect((await get({ 'if-none-match': etag })).response.status).toBe(304);
    await first.client.revoke({ serialNumber: issued.serialNumber, reason: 'superseded', revokedAt: now() });
    const after = await get({ 'if-none-match': etag });
    expect(after.response.status).toBe(200);
    expect(after.response.headers.get('etag')).not.toBe(etag);
  });

  it('is given to GET and HEAD; other ways of asking are refused', async () => {
    const statusOf = async (method: string, path: string) =>
      (await fetchBytes(first.url() + path, { method })).response.status;
    const issued = await first.client.issue(order('methods', csr));
    const path = `/pki/ocsp/${encodeURIComponent((await asking(issued, '-no_nonce')).toString('base64'))}`;
    expect(await statusOf('HEAD', path)).toBe(200);
    expect(await statusOf('GET', '/pki/ocsp')).toBe(405);
    expect(await statusOf('PUT', '/pki/ocsp')).toBe(405);
    expect(await statusOf('DELETE', path)).toBe(404);
    expect(await statusOf('GET', '/pki/ocspx')).toBe(404);
  });
});
