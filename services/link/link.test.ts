import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DomainError } from '@cardwright/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectLink, type LinkClient, type LinkServer, type LinkServerOptions, serveLink } from './index.ts';

let directory: string;
let socketPath: string;
const open: { close(): Promise<void> }[] = [];
const errors: { error: unknown; op: string }[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'link-'));
  socketPath = join(directory, 'test.sock');
  errors.length = 0;
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
  rmSync(directory, { recursive: true, force: true });
});

async function serve(
  handlers: LinkServerOptions['handlers'],
  more: Partial<LinkServerOptions> = {},
): Promise<LinkServer> {
  const server = await serveLink({ socketPath, handlers, onError: (error, op) => errors.push({ error, op }), ...more });
  open.push(server);
  return server;
}

function client(more: { timeoutMs?: number; maxPending?: number } = {}): LinkClient {
  const made = connectLink({ socketPath, service: 'vault', ...more });
  open.push(made);
  return made;
}

function gate(): { opened: Promise<void>; open: () => void } {
  let release = () => {};
  const opened = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { opened, open: release };
}

async function codeOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'no error',
    (error: unknown) => (error instanceof DomainError ? `${error.kind} ${error.code}` : error),
  );
}

describe('the link', () => {
  it('carries params there and the answer back', async () => {
    await serve({ echo: async (params) => params, nothing: async () => undefined });
    expect(await client().call('echo', { text: 'ř', list: [1, null] })).toEqual({ text: 'ř', list: [1, null] });
    expect(await client().call('nothing', {})).toBeNull();
  });

  it('answers each of many calls with its own answer', async () => {
    await serve({ double: async (params) => (params as number) * 2 }, { maxInFlight: 3 });
    const link = client();
    const numbers = Array.from({ length: 500 }, (_, n) => n);
    expect(await Promise.all(numbers.map((n) => link.call('double', n)))).toEqual(numbers.map((n) => n * 2));
  });

  it('lets no slow call hold up the others', async () => {
    const { opened, open: release } = gate();
    await serve({ slow: () => opened.then(() => 'slow'), quick: async () => 'quick' });
    const link = client();
    const slow = link.call('slow', {});
    expect(await link.call('quick', {})).toBe('quick');
    release();
    expect(await slow).toBe('slow');
  });

  it('works on no more requests of a connection at once than it is told', async () => {
    const { opened, open: release } = gate();
    let now = 0;
    let most = 0;
    await serve(
      {
        count: async () => {
          now += 1;
          most = Math.max(most, now);
          await opened;
          now -= 1;
        },
      },
      { maxInFlight: 4 },
    );
    const link = client();
    const calls = Array.from({ length: 40 }, () => link.call('count', {}));
    await expect.poll(() => now).toBe(4);
    release();
    await Promise.all(calls);
    expect(most).toBe(4);
  });

  it('rebuilds the refusal of the far side', async () => {
    const refusal = new DomainError('unprocessable', 'key-wrong', 'the key is wrong', {
      data: { expected: 48 },
      fields: [{ pointer: '/key', detail: 'wrong' }],
      cause: new Error('inner secret'),
    });
    await serve({
      refuse: async () => {
        throw refusal;
      },
    });
    const error = await client()
      .call('refuse', {})
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(DomainError);
    expect((error as DomainError).cause).toBeUndefined();
    expect(error).toMatchObject({
      kind: 'unprocessable',
      code: 'key-wrong',
      detail: 'the key is wrong',
      data: { expected: 48 },
      fields: [{ pointer: '/key', detail: 'wrong' }],
    });
    expect(errors).toEqual([]);
  });

  it('tells the far side nothing of an unexpected error, and its own side all', async () => {
    const bug = new Error('password=hunter2');
    await serve({
      fail: async () => {
        throw bug;
      },
    });
    const error = (await client()
      .call('fail', {})
      .catch((e: unknown) => e)) as DomainError;
    expect(error.code).toBe('internal');
    expect(JSON.stringify(error) + error.message).not.toContain('hunter2');
    expect(errors).toEqual([{ error: bug, op: 'fail' }]);
  });

  it('refuses an operation it has not, also one that every object has', async () => {
    await serve({});
    expect(await codeOf(client().call('nope', {}))).toBe('invalid link-operation-unknown');
    expect(await codeOf(client().call('toString', {}))).toBe('invalid link-operation-unknown');
  });

  it('refuses a request and an answer over 1 MiB, and goes on', async () => {
    await serve({ big: async () => 'x'.repeat(1024 * 1024), echo: async (params) => params });
    const link = client();
    expect(await codeOf(link.call('echo', 'x'.repeat(1024 * 1024)))).toBe('unprocessable link-frame-too-large');
    expect(await codeOf(link.call('big', {}))).toBe('unprocessable link-frame-too-large');
    expect(await link.call('echo', 1)).toBe(1);
  });
});

describe('a link whose far side is away', () => {
  it('says so, and works as soon as it is back', async () => {
    const link = client();
    expect(await codeOf(link.call('echo', 1))).toBe('unavailable vault-unavailable');
    const server = await serve({ echo: async (params) => params });
    expect(await link.call('echo', 1)).toBe(1);
    await server.close();
    expect(await codeOf(link.call('echo', 2))).toBe('unavailable vault-unavailable');
    await serve({ echo: async (params) => params });
    expect(await link.call('echo', 3)).toBe(3);
  });

  it('fails the calls under way when the far side dies', async () => {
    const fake = createServer((socket) => socket.on('data', () => socket.destroy()));
    await new Promise<void>((resolve) => fake.listen(socketPath, resolve));
    open.push({ close: async () => void fake.close() });
    expect(await codeOf(client().call('echo', 1))).toBe('unavailable vault-unavailable');
  });

  it('fails the calls under way when the far side talks nonsense', async () => {
    const answers = ['00000002', '00000003666f6f', 'ffffffff', '000000025b5d'];
    for (const answer of answers) {
      const fake = createServer((socket) => socket.on('data', () => socket.end(Buffer.from(answer, 'hex'))));
      await new Promise<void>((resolve) => fake.listen(socketPath, resolve));
      expect(await codeOf(client().call('echo', 1))).toBe('unavailable vault-unavailable');
      await new Promise((resolve) => fake.close(resolve));
    }
  });

  it('gives up after its time, and takes no late answer for another', async () => {
    const { opened, open: release } = gate();
    await serve({ slow: () => opened.then(() => 'late'), echo: async (params) => params });
    const link = client({ timeoutMs: 50 });
    expect(await codeOf(link.call('slow', {}))).toBe('unavailable vault-timeout');
    release();
    expect(await link.call('echo', 'mine')).toBe('mine');
  });

  it('holds no more unanswered calls than it is told', async () => {
    const { opened, open: release } = gate();
    await serve({ wait: () => opened });
    const link = client({ maxPending: 2 });
    const calls = [link.call('wait', {}), link.call('wait', {})];
    expect(await codeOf(link.call('wait', {}))).toBe('unavailable vault-busy');
    release();
    await Promise.all(calls);
  });
});

describe('the socket', () => {
  it('is for its owner only', async () => {
    await serve({});
    expect(statSync(socketPath).mode & 0o777).toBe(0o600);
  });

  it('of a live process is refused', async () => {
    await serve({ echo: async () => 'first' });
    expect(await codeOf(serve({}))).toBe('conflict link-socket-in-use');
    expect(await client().call('echo', {})).toBe('first');
  });

  it('that a killed process left behind is replaced', async () => {
    const code = `require('net').createServer().listen(${JSON.stringify(socketPath)}, () => console.log('up'))`;
    const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(existsSync(socketPath)).toBe(true);
    await serve({ echo: async () => 'second' });
    expect(await client().call('echo', {})).toBe('second');
  });

  it('is gone after close, which lets calls under way end', async () => {
    const { opened, open: release } = gate();
    let begun = false;
    const server = await serve({
      slow: () => {
        begun = true;
        return opened.then(() => 'done');
      },
    });
    const link = client();
    const call = link.call('slow', {});
    await expect.poll(() => begun).toBe(true);
    const closed = server.close();
    release();
    expect(await call).toBe('done');
    await closed;
    expect(existsSync(socketPath)).toBe(false);
  });

  it('closes in its time although a call never ends', async () => {
    let begun = false;
    const server = await serve(
      {
        stuck: () => {
          begun = true;
          return new Promise(() => {});
        },
      },
      { closeGraceMs: 20 },
    );
    const call = codeOf(client().call('stuck', {}));
    await expect.poll(() => begun).toBe(true);
    await server.close();
    expect(await call).toBe('unavailable vault-unavailable');
  });

  it('drops a peer that sends what is no request, and serves the others', async () => {
    await serve({ echo: async (params) => params });
    const bodies = [
      '[]',
      '{"id":1}',
      '{"id":1.5,"op":"echo"}',
      '{"id":1,"op":"echo","more":1}',
      '{"id":1,"op":""}',
      'x',
    ];
    for (const body of bodies) {
      const socket = connect(socketPath);
      const head = Buffer.alloc(4);
      head.writeUInt32BE(body.length);
      socket.on('error', () => {});
      socket.write(Buffer.concat([head, Buffer.from(body)]));
      await once(socket, 'close');
    }
    expect(errors).toHaveLength(bodies.length);
    expect(await client().call('echo', 1)).toBe(1);
  });
});
