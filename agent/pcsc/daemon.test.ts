import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DaemonConnection } from './daemon.socket.ts';
import { openReaders } from './readers.socket.ts';

/** What a pcscd never does: the real one is asked in test/integration/pcsc.test.ts. */
let directory: string;
let path: string;
let server: Server | undefined;
const clients: Socket[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'cardwright-pcsc-'));
  path = join(directory, 'pcscd.comm');
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await new Promise((resolve) => (server === undefined ? resolve(0) : server.close(resolve)));
  server = undefined;
  rmSync(directory, { recursive: true, force: true });
});

function serve(answer: (client: Socket, chunk: Buffer) => void): Promise<void> {
  server = createServer((client) => {
    clients.push(client);
    client.on('error', () => undefined);
    client.on('data', (chunk) => answer(client, chunk));
  });
  return new Promise((resolve) => server?.listen(path, resolve));
}

const words = (...values: number[]) => Buffer.from(new Uint32Array(values).buffer);

describe('a PC/SC service', () => {
  it('that is not there', async () => {
    await expect(openReaders(path)).rejects.toMatchObject({ kind: 'unavailable', code: 'pcsc-unavailable' });
  });

  it('that hangs up, as pcscd does on whom it does not let in', async () => {
    await serve((client) => client.destroy());
    await expect(openReaders(path)).rejects.toMatchObject({ code: 'pcsc-unavailable' });
  });

  it('of another protocol', async () => {
    await serve((client) => client.write(words(5, 0, 0)));
    await expect(openReaders(path)).rejects.toMatchObject({ code: 'pcsc-answer-malformed' });
  });

  it('that refuses a context', async () => {
    let asked = 0;
    await serve((client) => client.write(asked++ === 0 ? words(4, 4, 0) : words(2, 0, 0x80100006)));
    await expect(openReaders(path)).rejects.toMatchObject({ code: 'pcsc-refused' });
  });

  it('that says too much', async () => {
    await serve((client) => client.write(Buffer.alloc(300_000)));
    const connection = await DaemonConnection.open(path);
    await connection.request(1, words(0), 12, { timeoutMs: 2_000 });
    await expect(connection.request(1, words(0), 12, { timeoutMs: 2_000 })).rejects.toMatchObject({
      code: 'pcsc-answer-malformed',
    });
  });

  it('that stops in the middle of an answer is not waited for, and its late answer is nobody’s', async () => {
    await serve((client) => client.write(Buffer.alloc(5)));
    const connection = await DaemonConnection.open(path);
    const code = 'pcsc-timeout';
    await expect(connection.request(1, words(0), 12, { timeoutMs: 50 })).rejects.toMatchObject({ code });
    await expect(connection.request(1, words(0), 7, { timeoutMs: 50 })).rejects.toMatchObject({ code });
  });

  it('gives an answer that comes in pieces', async () => {
    await serve((client) => {
      client.write(words(7));
      setImmediate(() => client.write(words(8, 9)));
    });
    const connection = await DaemonConnection.open(path);
    const answer = await connection.request(1, words(0), 12, { timeoutMs: 2_000 });
    expect(Buffer.from(answer)).toEqual(words(7, 8, 9));
    await connection.close();
    await connection.close();
  });
});
